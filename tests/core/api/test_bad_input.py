"""Films and requests that are none: each gets its 4xx with a sentence, and nothing is stored."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from audit.models import AuditEvent
from diagnosis.models import ModelVersion, Prediction, Study
from tests.support.api import assert_problem, client_of, film_upload
from tests.support.cast import Cast
from tests.support.inputs import films

DOORS = ["/api/v1/studies/", "/predict"]

NOT_READABLE = {
    "empty": (b"", 400),
    "truncated": (films.truncated(films.chest_png()), 400),
    "animated": (films.animated_png(), 400),
    "cmyk": (films.cmyk_jpeg(), 400),
    "400 megapixels": (films.bomb_png(), 413),
    "lying header": (films.png_claiming(30_000, 30_000), 413),
    "svg": (films.NOT_FILMS["svg"], 415),
    "zip": (films.NOT_FILMS["zip"], 415),
    "html": (films.NOT_FILMS["html"], 415),
    "pdf": (films.NOT_FILMS["pdf"], 415),
    "text": (films.NOT_FILMS["text"], 400),
}


def assert_nothing_stored() -> None:
    assert not Study.objects.exists()
    assert not Prediction.objects.exists()
    assert not AuditEvent.objects.filter(verb="study_uploaded").exists()
    media = Path(django_settings.MEDIA_ROOT)
    assert not [path for path in media.rglob("*") if path.is_file()]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", list(NOT_READABLE))
def test_what_is_no_readable_film(cast: Cast, active_model: ModelVersion, door: str, kind: str) -> None:
    data, status = NOT_READABLE[kind]
    response = client_of(cast.alice).post(door, {"file": film_upload(data), "project": "ward-7"})
    assert_problem(response, status)
    assert_nothing_stored()


@pytest.mark.parametrize("door", DOORS)
def test_a_file_over_the_cap(cast: Cast, active_model: ModelVersion, settings: Any, door: str) -> None:
    settings.MAX_UPLOAD_BYTES = 1024 * 1024
    upload = film_upload(films.chest_png() + bytes(3 * 1024 * 1024))
    problem = assert_problem(client_of(cast.alice).post(door, {"file": upload}), 413, "file_too_large")
    assert "1 MB" in problem["detail"]
    assert_nothing_stored()


@pytest.mark.parametrize(
    "name", ["film.exe", "film.php.png", "<script>.png", "a" * 300 + ".png", "\ufb01lm\u202egpj.png"]
)
def test_the_name_of_a_good_film_does_not_matter(cast: Cast, active_model: ModelVersion, name: str) -> None:
    response = client_of(cast.alice).post(DOORS[0], {"file": film_upload(name=name), "project": "ward-7"})
    assert response.status_code == 201
    stored = Study.objects.get().original.name
    assert stored is not None
    assert stored.endswith("/original.png")
    assert ".." not in stored


@pytest.mark.parametrize("name", ["../../etc/passwd", "..\\..\\boot.ini", "/etc/cron.d/x"])
def test_a_path_as_file_name_leads_nowhere(cast: Cast, active_model: ModelVersion, name: str) -> None:
    boundary, film = "x-x-x", films.chest_png()
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = head.encode() + film + f"\r\n--{boundary}--\r\n".encode()
    response = client_of(cast.alice).post(
        DOORS[0], body, content_type=f"multipart/form-data; boundary={boundary}"
    )
    assert response.status_code == 201
    assert str(Study.objects.get().original.name).startswith("studies/")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": ""},
        {"url": None},
        {"file": "film.png"},
        {"url": "https://a.example/x.png", "file": "x"},
        [],
        "x",
        7,
    ],
)
def test_json_without_one_film(cast: Cast, active_model: ModelVersion, door: str, body: Any) -> None:
    assert_problem(client_of(cast.alice).post(door, body, format="json"), 400, "invalid")
    assert_nothing_stored()


@pytest.mark.parametrize("door", DOORS)
def test_a_form_without_the_field_says_which(cast: Cast, active_model: ModelVersion, door: str) -> None:
    problem = assert_problem(client_of(cast.alice).post(door, {"image": film_upload()}), 400, "invalid")
    assert "“file”" in problem["detail"]
    assert_nothing_stored()


def test_two_files_in_one_request(cast: Cast, active_model: ModelVersion) -> None:
    response = client_of(cast.alice).post(DOORS[0], {"file": [film_upload(), film_upload(seed=1)]})
    assert assert_problem(response, 400)["errors"][0]["field"] == "file"
    assert_nothing_stored()


def test_file_and_url_together(cast: Cast, active_model: ModelVersion) -> None:
    body = {"file": film_upload(), "url": "https://films.example/1.png"}
    assert_problem(client_of(cast.alice).post(DOORS[0], body), 400, "invalid")
    assert_nothing_stored()


@pytest.mark.parametrize("code", ["Mrs Smith", "../x", "a" * 41, "<b>"])
def test_a_subject_code_that_could_be_a_name(cast: Cast, active_model: ModelVersion, code: str) -> None:
    body = {"file": film_upload(), "subject_code": code}
    assert_problem(client_of(cast.alice).post(DOORS[0], body), 400)
    assert_nothing_stored()


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "content_type", ["text/plain", "image/png", "application/xml", "application/x-www-form-urlencoded"]
)
def test_another_content_type_is_415(
    cast: Cast, active_model: ModelVersion, door: str, content_type: str
) -> None:
    response = client_of(cast.alice).post(door, films.chest_png(), content_type=content_type)
    assert_problem(response, 415, "unsupported_media_type")
    assert_nothing_stored()


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=é", "application/json"]
)
def test_a_broken_body_is_400(cast: Cast, active_model: ModelVersion, content_type: str) -> None:
    response = client_of(cast.alice).post(DOORS[0], b"--x\r\nnonsense{", content_type=content_type)
    assert_problem(response, 400)
    assert_nothing_stored()


def test_urls_are_refused_while_they_are_switched_off(cast: Cast, active_model: ModelVersion) -> None:
    response = client_of(cast.alice).post(DOORS[0], {"url": "https://films.example/1.png"}, format="json")
    assert_problem(response, 400)
    assert_nothing_stored()


@pytest.mark.parametrize(
    "url",
    ["http://localhost/x.png", "http://169.254.169.254/", "file:///etc/passwd", "gopher://x", "not a url"],
)
def test_urls_into_the_house_are_refused(
    cast: Cast, active_model: ModelVersion, settings: Any, url: str
) -> None:
    settings.URL_INTAKE = True
    response = client_of(cast.alice).post(DOORS[0], {"url": url, "project": "ward-7"}, format="json")
    assert_problem(response, 400)
    assert_nothing_stored()
