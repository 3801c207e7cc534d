"""A film's files through the API."""

import io
from typing import Any

import pytest
from PIL import Image

from audit.models import AuditEvent
from diagnosis.models import Study
from tests.support.api import assert_problem, client_of
from tests.support.cast import Cast
from tests.support.inputs.films import chest_png


def url_of(study: Study, kind: str, query: str = "") -> str:
    return f"/api/v1/studies/{study.uid}/files/{kind}/{query}"


def content(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def test_the_original_comes_back_byte_for_byte(cast: Cast, study: Study) -> None:
    response = client_of(cast.rania).get(url_of(study, "original"))
    assert content(response) == chest_png()
    assert response["Content-Type"] == "image/png"
    assert response["Content-Disposition"] == f'attachment; filename="{study.reference}-original.png"'


@pytest.mark.parametrize(
    ("kind", "format_"),
    [
        ("display", "PNG"),
        ("thumbnail", "JPEG"),
        ("heatmap", "PNG"),
        ("overlay", "PNG"),
        ("side-by-side", "PNG"),
    ],
)
def test_pictures_have_their_media_type_and_the_headers_that_sandbox_them(
    cast: Cast, finished_study: Study, kind: str, format_: str
) -> None:
    response = client_of(cast.rania).get(url_of(finished_study, kind))
    assert response.status_code == 200
    assert Image.open(io.BytesIO(content(response))).format == format_
    assert response["Content-Type"] == f"image/{format_.lower()}"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "private, no-store"
    assert "sandbox" in response["Content-Security-Policy"]


def test_a_picture_is_sent_to_a_client_that_accepts_only_pictures(cast: Cast, finished_study: Study) -> None:
    response = client_of(cast.rania).get(url_of(finished_study, "overlay"), headers={"Accept": "image/png"})
    assert response.status_code == 200


def test_colour_map_and_alpha_change_the_overlay(cast: Cast, finished_study: Study) -> None:
    client = client_of(cast.rania)
    options = ["", "?colour_map=VIRIDIS", "?alpha=0.9", "?alpha=0", "?style=contour"]
    pictures = {content(client.get(url_of(finished_study, "overlay", query))) for query in options}
    assert len(pictures) == len(options)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?colour_map=RAINBOWS", "colour_map_unknown"),
        ("?style=dots", "style_unknown"),
        ("?alpha=2", "alpha_invalid"),
        ("?alpha=-0.1", "alpha_invalid"),
        ("?alpha=nan", "alpha_invalid"),
        ("?alpha=x", "alpha_invalid"),
        ("?opacity=1", "option_unknown"),
    ],
)
def test_options_out_of_range_are_400(cast: Cast, finished_study: Study, query: str, code: str) -> None:
    assert_problem(client_of(cast.rania).get(url_of(finished_study, "overlay", query)), 400, code)


@pytest.mark.parametrize("kind", ["heatmap", "overlay", "side-by-side"])
def test_before_there_is_a_result_its_pictures_are_409(cast: Cast, study: Study, kind: str) -> None:
    problem = assert_problem(client_of(cast.rania).get(url_of(study, kind)), 409, "no_result")
    assert problem["detail"].endswith("no picture of it.")


@pytest.mark.parametrize("kind", ["secrets", "original.png", "..", "%2e%2e%2fdisplay"])
def test_there_are_no_other_files(cast: Cast, study: Study, kind: str) -> None:
    assert_problem(client_of(cast.rania).get(url_of(study, kind)), 404)


def test_a_film_missing_on_the_disk_is_503_without_a_path(cast: Cast, study: Study) -> None:
    study.original.storage.delete(str(study.original.name))
    problem = assert_problem(client_of(cast.rania).get(url_of(study, "original")), 503, "film_missing")
    assert "/" not in problem["detail"]


def test_every_download_is_in_the_audit_trail_and_refused_ones_are_not(cast: Cast, study: Study) -> None:
    client = client_of(cast.rania)
    client.get(url_of(study, "original"))
    client.get(url_of(study, "overlay"))
    event = AuditEvent.objects.get(verb="film_downloaded")
    assert (event.actor_name, event.object_id, event.details) == (
        "rania",
        str(study.uid),
        {"kind": "original"},
    )


def test_the_event_of_a_picture_names_its_kind_alone(cast: Cast, finished_study: Study) -> None:
    client_of(cast.rania).get(url_of(finished_study, "overlay"))
    assert AuditEvent.objects.get(verb="film_downloaded").details == {"kind": "overlay"}
