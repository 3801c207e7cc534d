"""Batches through the API: with an archive, or film by film; a refusal is a problem and is recorded."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from diagnosis.batches.unpacking import unpack_batch
from diagnosis.models import Batch, BatchItem, Prediction, Project, Study
from tests.support.api import assert_problem, client_of, film_upload
from tests.support.cast import Cast
from tests.support.inputs import zips
from tests.support.inputs.films import NOT_FILMS, chest_png

pytestmark = pytest.mark.usefixtures("active_model")
BATCHES = "/api/v1/batches/"


def send_zip(cast: Cast, data: bytes, **headers: str) -> Any:
    archive = SimpleUploadedFile("films.zip", data, "application/zip")
    return client_of(cast.alice).post(BATCHES, {"archive": archive}, headers=headers)


def test_an_archive_becomes_a_batch_whose_progress_can_be_queried(cast: Cast) -> None:
    answer = send_zip(cast, zips.zip_of(chest_png(seed=1), NOT_FILMS["text"]))
    batch = Batch.objects.get()
    assert (answer.status_code, answer.json()["state"]) == (201, "unpacking")
    assert answer["Location"].endswith(f"{BATCHES}{batch.uid}/")
    unpack_batch(batch_uid=str(batch.uid))
    alice = client_of(cast.alice)
    seen = alice.get(answer["Location"]).json()
    assert (seen["state"], seen["progress"]["accepted"], seen["progress"]["refused"]) == ("reading", 1, 1)
    files = alice.get(seen["links"]["files"]).json()["results"]
    assert [(each["position"], each["outcome"], each["code"]) for each in files] == [
        (1, "accepted", ""),
        (2, "refused", "not_an_image"),
    ]
    assert files[0]["study"] == str(Study.objects.get().uid)


@pytest.mark.parametrize("word", [0, 1, "1", "yes", "on", "True", "", None, [], {}])
def test_codes_from_names_is_true_or_false_and_nothing_else(cast: Cast, word: Any) -> None:
    alice = client_of(cast.alice)
    answer = alice.post(BATCHES, {"expected": 1, "codes_from_names": word}, format="json")
    problem = assert_problem(answer, 400, "invalid")
    assert [error["field"] for error in problem["errors"]] == ["codes_from_names"]
    assert not Batch.objects.exists()
    for value in (True, False, "true", "false"):
        sent = {"expected": 1, "codes_from_names": value}
        assert alice.post(BATCHES, sent, format="json").status_code == 201


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (NOT_FILMS["text"], 415, "archive_not_zip"),
        (zips.bomb_zip(), 400, "archive_bomb"),
        (zips.zip_claiming_many(10**6), 413, "archive_too_many"),
    ],
)
def test_a_refused_archive_is_a_problem(cast: Cast, data: bytes, status: int, code: str) -> None:
    assert_problem(send_zip(cast, data), status, code)
    assert not Batch.objects.exists()


def test_an_archive_over_the_limit_is_refused(cast: Cast, settings: Any) -> None:
    settings.MAX_BATCH_BYTES = 1024
    assert_problem(send_zip(cast, zips.zip_of(bytes(2 * 1024**2))), 413, "archive_too_large")
    assert not Batch.objects.exists()


def test_the_same_archive_under_the_same_key_is_one_batch(cast: Cast) -> None:
    first, again = (send_zip(cast, zips.films_zip(1), **{"Idempotency-Key": "k"}) for _ in range(2))
    assert first.json()["id"] == again.json()["id"]
    assert Batch.objects.count() == 1


def test_films_are_added_one_by_one_and_the_batch_is_closed(cast: Cast) -> None:
    alice = client_of(cast.alice)
    begun = alice.post(BATCHES, {"project": "ward-7", "expected": 3}, format="json")
    links = begun.json()["links"]
    first = alice.post(links["films"], {"file": film_upload(seed=1), "subject_code": "S-1"})
    again = alice.post(links["films"], {"file": film_upload(seed=1)})
    assert (first.status_code, again.status_code) == (201, 200)
    assert Study.objects.get().subject_code == "S-1"
    assert_problem(alice.post(links["films"], {"file": film_upload(NOT_FILMS["text"])}), 400, "not_an_image")
    assert_problem(alice.post(links["films"], {}), 400, "invalid")
    closed = alice.post(links["close"])
    assert (closed.status_code, closed.json()["state"]) == (200, "reading")
    assert_problem(alice.post(links["films"], {"file": film_upload(seed=2)}), 409, "batch_closed")
    progress = alice.get(links["self"]).json()["progress"]
    assert (progress["total"], progress["accepted"], progress["refused"]) == (2, 1, 1)


def test_a_film_costs_no_more_in_a_full_batch_than_in_an_empty_one(cast: Cast) -> None:
    alice = client_of(cast.alice)
    films = alice.post(BATCHES, {}, format="json").json()["links"]["films"]
    few = _rows_of_items_read(alice, films, seed=1)
    batch = Batch.objects.get()
    BatchItem.objects.bulk_create(
        BatchItem(batch=batch, position=position, byte_size=1, sha256=f"{position:064}", outcome="accepted")
        for position in range(2, 200)
    )
    assert _rows_of_items_read(alice, films, seed=2) <= few + 1


def _rows_of_items_read(alice: Any, films: str, seed: int) -> int:
    """Send one new film; return how many rows of files the database gave out meanwhile."""
    with CaptureQueriesContext(connection) as asked:
        assert alice.post(films, {"file": film_upload(seed=seed)}).status_code == 201
    count = 0
    with connection.cursor() as cursor:
        for query in asked.captured_queries:
            if query["sql"].startswith("SELECT") and "diagnosis_batchitem" in query["sql"]:
                cursor.execute(query["sql"])
                count += len(cursor.fetchall())
    return count


@pytest.mark.parametrize("body", [None, [], {"expected": 0}, {"archive": "x"}, {"project": "elsewhere"}])
def test_invalid_bodies_are_problems(cast: Cast, body: Any) -> None:
    answer = client_of(cast.alice).post(BATCHES, body, format="json")
    if body is None or body == []:
        assert answer.status_code in (201, 400)
    else:
        assert_problem(answer, 400, "invalid")
        assert not Batch.objects.exists()


def test_an_archive_in_a_field_of_another_name_does_not_begin_an_empty_batch(cast: Cast) -> None:
    archive = SimpleUploadedFile("films.zip", zips.zip_of(chest_png(seed=1)), "application/zip")
    assert_problem(client_of(cast.alice).post(BATCHES, {"file": archive}), 400, "invalid")
    assert not Batch.objects.exists()


def test_other_people_neither_see_nor_fill_a_batch(cast: Cast) -> None:
    batch = Batch.objects.create(
        project=cast.project, created_by=cast.alice, source="files", state="receiving"
    )
    for person, seen, filled in ((cast.otto, 404, 404), (cast.rania, 200, 403), (cast.adam, 200, 403)):
        client = client_of(person)
        assert client.get(f"{BATCHES}{batch.uid}/").status_code == seen
        assert_problem(client.post(f"{BATCHES}{batch.uid}/films/", {"file": film_upload()}), filled)
        assert_problem(client.post(f"{BATCHES}{batch.uid}/close/"), filled)
    assert not Study.objects.exists()


def test_hidden_results_are_not_counted(cast: Cast) -> None:
    alice, rania = client_of(cast.alice), client_of(cast.rania)
    links = alice.post(BATCHES, {}, format="json").json()["links"]
    alice.post(links["films"], {"file": film_upload()})
    Prediction.objects.update(
        status="succeeded", calibrated_probability=0.9, outcome="pneumonia", cam=[[0.0]]
    )
    assert rania.get(links["self"]).json()["progress"]["above"] == 1
    Project.objects.update(ai_visibility=Project.AiVisibility.HIDDEN)
    progress = rania.get(links["self"]).json()["progress"]
    assert (progress["ready"], progress["above"], progress["below"], progress["hidden"]) == (1, 0, 0, 1)


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=b", ""])
def test_an_empty_request_begins_no_batch(cast: Cast, kind: str) -> None:
    assert_problem(client_of(cast.alice).generic("POST", BATCHES, b"", content_type=kind), 400)
    assert not Batch.objects.exists()
