"""The upload page: an outcome for each film, as HTML and JSON; roles, projects, limits, file names."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from diagnosis.models import ModelVersion, Project, Study
from tests.support.cast import Cast
from tests.support.inputs.films import NOT_FILMS, chest_png

pytestmark = pytest.mark.usefixtures("active_model")

SECRET_NAME = "Smith_John_1961-04-02.png"


def film(seed: int = 0, name: str = "a.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, chest_png(seed=seed), "image/png")


def not_a_film(name: str = "letter.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, NOT_FILMS["text"], "image/png")


def send(
    client: Client, project: Project, *files: SimpleUploadedFile, json: bool = False, **fields: str
) -> Any:
    accept = "application/json" if json else "text/html,*/*"
    data = {"project": str(project.pk), "file": list(files), **fields}
    return client.post(reverse("upload"), data, headers={"Accept": accept})


def rows(response: Any) -> list[str]:
    found = re.findall(r'<li class="pw-upload pw-upload--\w+">.*?</li>', response.content.decode(), re.DOTALL)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)) for row in found]


@pytest.fixture
def alice(client: Client, cast: Cast) -> Client:
    client.force_login(cast.alice)
    return client


def test_one_film_is_uploaded_and_linked(alice: Client, cast: Cast) -> None:
    response = send(alice, cast.project, film(), subject_code="S-017")
    study = Study.objects.get()
    assert response.status_code == 200
    assert (study.project, study.uploaded_by, study.subject_code) == (cast.project, cast.alice, "S-017")
    assert study.get_absolute_url() in response.content.decode()
    assert "Waiting" in rows(response)[0]


def test_a_bad_file_does_not_affect_the_good_ones(alice: Client, cast: Cast) -> None:
    response = send(alice, cast.project, film(1, "one.png"), not_a_film("two.png"), film(3, "three.png"))
    first, second, third = rows(response)
    assert response.status_code == 200
    assert "one.png" in first
    assert "Uploaded as PW-" in first
    assert "two.png" in second
    assert "not a JPEG or PNG" in second
    assert "three.png" in third
    assert "Uploaded as PW-" in third
    assert Study.objects.count() == 2


def test_the_same_film_again_links_to_the_stored_one(alice: Client, cast: Cast) -> None:
    send(alice, cast.project, film())
    response = send(alice, cast.project, film(name="another name.png"))
    study = Study.objects.get()
    assert f"Already here as {study.reference}" in rows(response)[0]
    assert study.get_absolute_url() in response.content.decode()


def test_two_files_of_one_name_are_two_films(alice: Client, cast: Cast) -> None:
    send(alice, cast.project, film(1, "x.png"), film(2, "x.png"))
    assert Study.objects.count() == 2


def test_json_holds_the_outcome_of_the_film(alice: Client, cast: Cast) -> None:
    answer = send(alice, cast.project, film(), json=True)
    study = Study.objects.get()
    body = answer.json()
    assert answer.status_code == 201
    assert body["outcome"] == "uploaded"
    assert body["url"] == study.get_absolute_url()
    assert f"state-{study.uid}" in body["state_html"]
    assert body["disclaimer"] == "Research and education only. Not for clinical use."
    again = send(alice, cast.project, film(), json=True)
    assert (again.status_code, again.json()["outcome"]) == (200, "duplicate")


@pytest.mark.parametrize("kind", sorted(NOT_FILMS))
def test_json_refuses_another_file_with_status_and_sentence(alice: Client, cast: Cast, kind: str) -> None:
    answer = send(alice, cast.project, SimpleUploadedFile("film.png", NOT_FILMS[kind]), json=True)
    assert 400 <= answer.status_code < 500
    assert answer.json()["outcome"] == "refused"
    assert answer.json()["message"].endswith(".")
    assert not Study.objects.exists()


def test_an_empty_file_is_refused_by_name(alice: Client, cast: Cast) -> None:
    response = send(alice, cast.project, SimpleUploadedFile("nothing.png", b""))
    assert response.status_code == 400
    assert not Study.objects.exists()


def test_a_form_without_a_film_is_refused(alice: Client, cast: Cast) -> None:
    response = send(alice, cast.project)
    assert response.status_code == 400
    assert "Choose at least one film" in response.content.decode()


def test_a_film_that_is_too_large_is_refused_before_its_end_is_received(
    alice: Client, cast: Cast, settings: Any
) -> None:
    settings.MAX_UPLOAD_BYTES = 1024 * 1024
    large = SimpleUploadedFile("large.png", b"\x89PNG" + bytes(3 * 1024 * 1024))
    answer = send(alice, cast.project, large, json=True)
    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")
    assert "at most 1 MB" in answer.json()["message"]
    assert not Study.objects.exists()


def test_films_before_one_that_is_too_large_are_kept(alice: Client, cast: Cast, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1024 * 1024
    large = SimpleUploadedFile("large.png", b"\x89PNG" + bytes(3 * 1024 * 1024))
    response = send(alice, cast.project, film(), large)
    assert response.status_code == 200
    assert ["Uploaded as" in row for row in rows(response)] == [True, False]
    assert Study.objects.count() == 1


@pytest.mark.parametrize("code", ["Smith, John", "a" * 41, "ü", "../../etc"])
def test_a_subject_code_that_is_no_code_is_refused(alice: Client, cast: Cast, code: str) -> None:
    response = send(alice, cast.project, film(), subject_code=code)
    assert response.status_code == 400
    assert "Nothing was uploaded" in response.content.decode()
    assert send(alice, cast.project, film(), subject_code=code, json=True).status_code == 400
    assert not Study.objects.exists()


def test_another_project_is_neither_offered_nor_accepted(alice: Client, cast: Cast) -> None:
    assert "Elsewhere" not in alice.get(reverse("upload")).content.decode()
    answer = send(alice, cast.other_project, film(), json=True)
    assert answer.status_code == 400
    assert "You do not work in this project" in answer.json()["message"]
    assert not Study.objects.exists()


def test_the_project_of_the_last_film_is_preselected(client: Client, cast: Cast) -> None:
    client.force_login(cast.adam)
    assert f'value="{cast.project.pk}" selected' not in client.get(reverse("upload")).content.decode()
    send(client, cast.project, film())
    assert f'value="{cast.project.pk}" selected' in client.get(reverse("upload")).content.decode()


@pytest.mark.parametrize(
    ("name", "status"), [("alice", 200), ("adam", 200), ("rania", 403), ("aude", 403), ("nobody", 403)]
)
def test_who_may_upload(client: Client, cast: Cast, name: str, status: int) -> None:
    client.force_login(getattr(cast, name))
    assert client.get(reverse("upload")).status_code == status
    assert send(client, cast.project, film()).status_code == status
    assert Study.objects.exists() == (status == 200)


def test_an_uploader_without_a_project_is_shown_what_to_do(client: Client, cast: Cast) -> None:
    cast.alice.memberships.all().delete()
    Project.objects.update(open_to_all=False)
    client.force_login(cast.alice)
    assert "Ask an administrator to add you" in client.get(reverse("upload")).content.decode()


def test_a_visitor_signs_in_first(client: Client, cast: Cast) -> None:
    page = client.get(reverse("upload"))
    assert page.headers["Location"].startswith(reverse("login"))
    answer = send(client, cast.project, film(), json=True)
    assert (answer.status_code, answer.json()["code"]) == (401, "signed_out")
    assert not Study.objects.exists()


def test_the_senders_file_name_is_not_stored(
    alice: Client, cast: Cast, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    send(alice, cast.project, film(1, SECRET_NAME), not_a_film(SECRET_NAME))
    study = Study.objects.get()
    kept = [str(getattr(study, field.attname)) for field in Study._meta.concrete_fields]
    trail = [str(event.details) for event in AuditEvent.objects.all()]
    paths = [str(path) for path in settings.MEDIA_ROOT.rglob("*")]
    assert len(paths) >= 3
    assert not [text for text in [*kept, *trail, *paths, caplog.text] if "Smith" in text]


def test_without_an_active_model_the_film_is_refused_with_the_next_step(alice: Client, cast: Cast) -> None:
    ModelVersion.objects.update(state=ModelVersion.State.RETIRED)
    answer = send(alice, cast.project, film(), json=True)
    assert answer.status_code == 503
    assert "register_model --activate" in answer.json()["message"]


def test_a_url_is_refused_while_url_intake_is_off(alice: Client, cast: Cast, settings: Any) -> None:
    settings.URL_INTAKE = False
    page = alice.get(reverse("upload")).content.decode()
    assert re.search(r'<input[^>]*name="url"[^>]*disabled', page)
    assert "URL_INTAKE=true" in page
    answer = send(alice, cast.project, json=True, url="https://example.org/film.png")
    assert 400 <= answer.status_code < 500
    assert "switched off" in answer.json()["message"]


def test_a_url_to_this_machine_is_refused_when_url_intake_is_on(
    alice: Client, cast: Cast, settings: Any
) -> None:
    settings.URL_INTAKE = True
    page = alice.get(reverse("upload")).content.decode()
    assert not re.search(r'<input[^>]*name="url"[^>]*disabled', page)
    response = send(alice, cast.project, url="http://127.0.0.1/film.png")
    assert 400 <= response.status_code < 500
    assert "The film at the URL" in rows(response)[0]
    assert not Study.objects.exists()


def test_wrong_methods_are_refused(alice: Client) -> None:
    assert alice.put(reverse("upload")).status_code == 405
