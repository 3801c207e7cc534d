"""Files and pictures of films: permissions, headers, audit events."""

import hashlib
import io
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from audit.models import AuditEvent
from diagnosis.models import ModelVersion, Study
from tests.support.cast import Cast
from tests.support.inputs.films import chest_png

PICTURES = ["study-overlay", "study-heatmap", "study-side-by-side"]
FILES = ["study-original", "study-display", "study-thumbnail", *PICTURES]


def fetch(client: Client, study: Study, name: str, **options: Any) -> Any:
    headers = options.pop("headers", None)
    return client.get(reverse(name, args=[study.uid]), options, headers=headers)


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def picture(response: Any) -> Image.Image:
    return Image.open(io.BytesIO(body(response)))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("who", "status"),
    [("alice", 200), ("rania", 200), ("aude", 200), ("adam", 200), ("otto", 404), ("nobody", 404)],
)
def test_files_are_for_those_who_may_see_the_film(
    client: Client, cast: Cast, finished_study: Study, name: str, who: str, status: int
) -> None:
    client.force_login(getattr(cast, who))
    assert fetch(client, finished_study, name).status_code == status


@pytest.mark.parametrize("name", FILES)
def test_files_are_closed_to_people_who_are_not_signed_in(
    client: Client, finished_study: Study, name: str
) -> None:
    assert fetch(client, finished_study, name).status_code == 302


@pytest.mark.parametrize("name", FILES)
def test_files_have_the_headers_that_sandbox_them(
    client: Client, cast: Cast, finished_study: Study, name: str
) -> None:
    client.force_login(cast.alice)
    response = fetch(client, finished_study, name)
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response["Cache-Control"].startswith("private, no-")
    assert response["Content-Type"] in {"image/png", "image/jpeg"}


def test_the_original_comes_back_byte_for_byte_under_a_neutral_name(
    client: Client, cast: Cast, study: Study
) -> None:
    client.force_login(cast.alice)
    response = fetch(client, study, "study-original")
    assert hashlib.sha256(body(response)).hexdigest() == hashlib.sha256(chest_png()).hexdigest()
    assert response["Content-Disposition"] == f'attachment; filename="{study.reference}-original.png"'
    assert response["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("study-original", "original"),
        ("study-overlay", "overlay"),
        ("study-heatmap", "heatmap"),
        ("study-side-by-side", "side-by-side"),
    ],
)
def test_a_download_is_recorded_and_named_after_the_film(
    client: Client, cast: Cast, finished_study: Study, name: str, kind: str
) -> None:
    client.force_login(cast.rania)
    response = fetch(client, finished_study, name)
    event = AuditEvent.objects.get(verb="film_downloaded")
    assert (event.actor_name, event.object_id) == ("rania", str(finished_study.uid))
    picture_of = {} if kind == "original" else {"model_version": "test-model"}
    assert event.details == {"kind": kind, **picture_of}
    assert f"{finished_study.reference}-{kind}.png" in response["Content-Disposition"]


@pytest.mark.parametrize("name", ["study-display", "study-thumbnail"])
def test_images_of_a_page_are_not_recorded_as_downloads(
    client: Client, cast: Cast, finished_study: Study, name: str
) -> None:
    client.force_login(cast.rania)
    fetch(client, finished_study, name)
    fetch(client, finished_study, "study-heatmap", inline="1")
    assert not AuditEvent.objects.filter(verb="film_downloaded").exists()


def test_the_normalised_png_has_the_full_size_of_the_film(client: Client, cast: Cast, study: Study) -> None:
    client.force_login(cast.alice)
    shown = picture(fetch(client, study, "study-display"))
    assert (shown.size, shown.mode) == ((study.width, study.height), "L")


def test_the_heat_layer_is_transparent_and_of_the_films_shape(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    client.force_login(cast.alice)
    layer = picture(fetch(client, finished_study, "study-heatmap", inline="1"))
    assert layer.mode == "RGBA"
    assert layer.width / layer.height == pytest.approx(finished_study.width / finished_study.height, rel=0.02)
    assert layer.getpixel((2, 2))[3] < 20  # type: ignore[index]  # cold corner
    assert layer.getpixel((layer.width - 3, layer.height - 3))[3] > 240  # type: ignore[index]  # hot corner


def test_the_side_by_side_is_three_films_wide(client: Client, cast: Cast, finished_study: Study) -> None:
    client.force_login(cast.alice)
    assert picture(fetch(client, finished_study, "study-side-by-side")).width >= 3 * finished_study.width


def test_colour_map_and_opacity_change_the_picture(client: Client, cast: Cast, finished_study: Study) -> None:
    client.force_login(cast.alice)
    usual = body(fetch(client, finished_study, "study-overlay"))
    assert body(fetch(client, finished_study, "study-overlay", colour_map="VIRIDIS")) != usual
    assert body(fetch(client, finished_study, "study-overlay", alpha="0.9")) != usual


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"colour_map": "RAINBOWS"}, "There is no such colour map."),
        ({"alpha": "2"}, "The opacity (alpha) must be a number from 0 to 1."),
        ({"alpha": "nan"}, "The opacity (alpha) must be a number from 0 to 1."),
    ],
)
def test_an_invalid_option_is_refused_and_nothing_is_recorded(
    client: Client, cast: Cast, finished_study: Study, name: str, options: dict[str, str], sentence: str
) -> None:
    client.force_login(cast.alice)
    response = fetch(client, finished_study, name, **options)
    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert not AuditEvent.objects.filter(verb="film_downloaded").exists()


@pytest.mark.parametrize("name", PICTURES)
def test_without_a_result_there_is_no_picture(client: Client, cast: Cast, study: Study, name: str) -> None:
    client.force_login(cast.alice)
    response = fetch(client, study, name)
    assert response.status_code == 409
    assert "The AI has no result for this film yet" in response.content.decode()


@pytest.mark.parametrize(("name", "options"), [("study-display", {}), ("study-heatmap", {"inline": "1"})])
def test_an_image_of_a_page_is_sent_once_and_then_revalidated(
    client: Client, cast: Cast, finished_study: Study, name: str, options: dict[str, str]
) -> None:
    client.force_login(cast.alice)
    first = fetch(client, finished_study, name, **options)
    assert first["Cache-Control"] == "private, no-cache"
    again = fetch(client, finished_study, name, headers={"if-none-match": first["ETag"]}, **options)
    assert (again.status_code, body(again), again["ETag"]) == (304, b"", first["ETag"])


def test_a_cached_image_is_not_revalidated_for_somebody_who_may_not_see_it(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    client.force_login(cast.alice)
    tag = fetch(client, finished_study, "study-display")["ETag"]
    client.force_login(cast.otto)
    refused = fetch(client, finished_study, "study-display", headers={"if-none-match": tag})
    assert refused.status_code == 404


def test_the_contour_layer_is_an_svg_with_the_same_headers_and_another_etag_than_the_heat(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    client.force_login(cast.rania)
    heat = fetch(client, finished_study, "study-heatmap", inline="1")
    lines = fetch(client, finished_study, "study-heatmap", inline="1", style="contour")
    assert (lines["Content-Type"], body(lines)[:4]) == ("image/svg+xml", b"<svg")
    assert lines["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert lines["X-Content-Type-Options"] == "nosniff"
    assert lines["ETag"] != heat["ETag"]
    assert not AuditEvent.objects.filter(verb="film_downloaded").exists()


def test_a_download_takes_the_style_and_refuses_an_unknown_one(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    client.force_login(cast.rania)
    heat = fetch(client, finished_study, "study-overlay")
    lines = fetch(client, finished_study, "study-overlay", style="contour")
    assert lines["Content-Type"] == "image/png"
    assert body(lines) != body(heat)
    refused = fetch(client, finished_study, "study-overlay", style="dots")
    assert (refused.status_code, "The style must be one of heat, contour." in refused.content.decode()) == (
        400,
        True,
    )


def test_other_colours_and_another_prediction_have_another_etag(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    client.force_login(cast.alice)
    tags = {
        fetch(client, finished_study, "study-heatmap", inline="1", colour_map=name)["ETag"]
        for name in ("JET", "VIRIDIS")
    }
    ModelVersion.objects.update(state="retired")
    again = ModelVersion.objects.create(
        version="newer",
        architecture="vgg16-gap-512-256-128",
        weights_sha256="1" * 64,
        threshold=0.5,
        borderline_low=0.4,
        borderline_high=0.6,
        card={},
        state="active",
    )
    reading = finished_study.predictions.get()
    reading.pk, reading.uid, reading.model_version = None, uuid.uuid4(), again
    reading.save()
    tags.add(fetch(client, finished_study, "study-heatmap", inline="1", colour_map="JET")["ETag"])
    assert len(tags) == 3


@pytest.mark.parametrize("name", ["study-original", "study-display", "study-thumbnail", "study-overlay"])
def test_a_film_missing_on_the_disk_is_an_error_with_a_sentence(
    client: Client, cast: Cast, finished_study: Study, name: str
) -> None:
    for file in (finished_study.original, finished_study.display, finished_study.thumbnail):
        assert file.name
        file.storage.delete(file.name)
    client.force_login(cast.alice)
    response = fetch(client, finished_study, name)
    assert response.status_code == 503
    assert "The stored film could not be opened." in response.content.decode()
    assert not AuditEvent.objects.filter(verb="film_downloaded").exists()


@pytest.mark.parametrize("name", FILES)
def test_files_answer_only_get(client: Client, cast: Cast, finished_study: Study, name: str) -> None:
    client.force_login(cast.adam)
    assert client.post(reverse(name, args=[finished_study.uid])).status_code == 405
