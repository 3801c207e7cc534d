"""Pages of batches: with and without a script, live, blinded, and restricted to their project."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from diagnosis.batches.maintenance import maintain_batches
from diagnosis.batches.service import begin_batch, close_batch
from diagnosis.batches.unpacking import unpack_batch
from diagnosis.models import Batch, BatchItem, Prediction, Project, Study
from tests.support.cast import Cast
from tests.support.inputs import zips
from tests.support.inputs.films import NOT_FILMS, chest_png

pytestmark = pytest.mark.usefixtures("active_model")
JSON = {"Accept": "application/json"}
RESULT = re.compile(r"operating point|Borderline|\b\d+(\.\d+)? ?%")


@pytest.fixture
def alice(client: Client, cast: Cast) -> Client:
    client.force_login(cast.alice)
    return client


def archive(data: bytes, name: str = "Smith_John.zip") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "application/zip")


def begin(client: Client, project: Project, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    return client.post(reverse("batch-begin"), {"project": project.pk, **fields}, headers=headers)


def send(client: Client, batch: Batch, data: bytes) -> Any:
    file = SimpleUploadedFile("Smith_John.png", data)
    return client.post(reverse("batch-films", kwargs={"batch": batch.uid}), {"file": file}, headers=JSON)


def filled(cast: Cast, films: int) -> Batch:
    """Return a finished batch whose films are analysed."""
    batch = begin_batch(actor=cast.alice, project=cast.project)
    client = Client()
    client.force_login(cast.alice)
    for seed in range(films):
        send(client, batch, chest_png(seed=seed))
    Prediction.objects.update(
        status="succeeded", calibrated_probability=0.78, outcome="pneumonia", cam=[[0.0]], layer="x"
    )
    close_batch(actor=cast.alice, batch=batch)
    maintain_batches()
    batch.refresh_from_db()
    return batch


def test_a_zip_sent_without_a_script_becomes_a_batch_with_a_page(alice: Client, cast: Cast) -> None:
    answer = begin(alice, cast.project, archive=archive(zips.films_zip(2)))
    batch = Batch.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, batch.get_absolute_url())
    page = alice.get(batch.get_absolute_url()).content.decode()
    assert "0 of 2 done" in page
    assert 'hx-trigger="every 2s"' in page
    unpack_batch(batch_uid=str(batch.uid))
    assert Study.objects.all()[0].reference in alice.get(batch.get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"", 415, "not a ZIP"),
        (NOT_FILMS["text"], 415, "not a ZIP"),
        (zips.bomb_zip(), 400, "squeezed"),
        (zips.zip_claiming_many(2**40), 413, "at most"),
        (zips.zip_of(), 400, "no file"),
    ],
)
def test_an_archive_that_is_refused_is_refused_with_a_sentence(
    alice: Client, cast: Cast, data: bytes, status: int, words: str
) -> None:
    page = begin(alice, cast.project, archive=archive(data))
    assert page.status_code == status
    assert words in page.content.decode()
    answer = begin(alice, cast.project, headers=JSON, archive=archive(data))
    assert (answer.status_code, words in answer.json()["message"]) == (status, True)
    assert not Batch.objects.exists()


def test_an_archive_may_be_larger_than_a_film_but_not_than_the_limit(
    alice: Client, cast: Cast, settings: Any
) -> None:
    settings.MAX_UPLOAD_BYTES = 1024
    large = zips.zip_of(bytes(2 * 1024 * 1024))
    assert begin(alice, cast.project, archive=archive(large)).status_code == 302
    settings.MAX_BATCH_BYTES = 1024
    answer = begin(alice, cast.project, headers=JSON, archive=archive(large))
    assert (answer.status_code, answer.json()["code"]) == (413, "archive_too_large")
    assert Batch.objects.count() == 1


def test_the_script_begins_a_batch_sends_films_and_closes_it(alice: Client, cast: Cast) -> None:
    answer = begin(alice, cast.project, headers=JSON, expected=3)
    batch = Batch.objects.get()
    assert (answer.status_code, answer.json()["url"]) == (201, batch.get_absolute_url())
    first = send(alice, batch, chest_png(seed=1))
    assert (first.status_code, first.json()["outcome"], first.json()["position"]) == (201, "accepted", 1)
    refused = send(alice, batch, NOT_FILMS["text"])
    assert (refused.status_code, refused.json()["outcome"], refused.json()["position"]) == (400, "refused", 2)
    page = alice.get(batch.get_absolute_url()).content.decode()
    assert "Refused files" in page
    assert "Not all is sent yet" in page
    closed = alice.post(answer.json()["close"], headers=JSON)
    assert (closed.status_code, Batch.objects.get().state) == (200, "reading")
    late = send(alice, batch, chest_png(seed=2))
    assert (late.status_code, late.json()["code"]) == (409, "batch_closed")
    assert "Smith" not in page + str(list(BatchItem.objects.values()))


def test_bad_requests_change_nothing(alice: Client, cast: Cast) -> None:
    for fields in ({}, {"expected": 0}, {"expected": "many"}, {"expected": 10**9}):
        assert begin(alice, cast.project, headers=JSON, **fields).status_code in (400, 409), fields
        assert begin(alice, cast.project, **fields).status_code in (400, 409), fields
    assert begin(alice, cast.other_project, headers=JSON, expected=1).status_code == 400
    batch = begin_batch(actor=cast.alice, project=cast.project)
    address = reverse("batch-films", kwargs={"batch": batch.uid})
    assert alice.post(address, {"file": "no file"}, headers=JSON).status_code == 400
    assert alice.get(batch.get_absolute_url() + "?page=x").status_code == 200
    assert not BatchItem.objects.exists()


@pytest.mark.parametrize(("name", "status"), [("rania", 403), ("adam", 403), ("otto", 404), ("nobody", 404)])
def test_only_its_creator_adds_to_a_batch_or_closes_it(
    client: Client, cast: Cast, name: str, status: int
) -> None:
    batch = begin_batch(actor=cast.alice, project=cast.project)
    client.force_login(getattr(cast, name))
    assert send(client, batch, chest_png()).status_code == status
    assert client.post(reverse("batch-close", kwargs={"batch": batch.uid})).status_code == status
    assert (Study.objects.count(), Batch.objects.get().state) == (0, "receiving")


def test_a_person_who_may_not_upload_begins_no_batch(client: Client, cast: Cast) -> None:
    client.force_login(cast.rania)
    assert "New batch" not in client.get(reverse("batches")).content.decode()
    assert begin(client, cast.project, archive=archive(zips.films_zip(1))).status_code == 403
    client.logout()
    assert begin(client, cast.project, headers=JSON, expected=1).status_code == 401
    assert not Batch.objects.exists()


def test_beginning_a_batch_is_protected_against_forged_requests(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice)
    assert begin(client, cast.project, archive=archive(zips.films_zip(1))).status_code == 403
    assert not Batch.objects.exists()


def test_hidden_results_are_not_on_the_page_nor_its_live_part(client: Client, cast: Cast) -> None:
    batch = filled(cast, 2)
    addresses = [batch.get_absolute_url(), reverse("batch-status", kwargs={"batch": batch.uid})]
    client.force_login(cast.rania)
    assert [bool(RESULT.search(visible(client, address))) for address in addresses] == [True, True]
    Project.objects.update(ai_visibility=Project.AiVisibility.HIDDEN)
    for address in addresses:
        page = visible(client, address)
        assert not RESULT.search(page)
        assert "AI hidden" in page


def visible(client: Client, address: str) -> str:
    """Return the text about the batch, without progress bars."""
    page = client.get(address).content.decode()
    return re.sub(r"<progress.*?</progress>", "", page[page.index('id="batch-status"') :], flags=re.DOTALL)


def test_the_live_part_answers_only_changes_and_stops_when_finished(alice: Client, cast: Cast) -> None:
    batch = begin_batch(actor=cast.alice, project=cast.project, expected=2)
    address = reverse("batch-status", kwargs={"batch": batch.uid})
    seen = re.search(r"seen=([^&\"]+)", alice.get(address).content.decode())
    assert seen is not None
    assert alice.get(address, {"seen": seen[1]}).status_code == 204
    send(alice, batch, chest_png())
    assert alice.get(address, {"seen": seen[1]}).status_code == 200
    Prediction.objects.update(status="failed", failure_code="gave_up")
    close_batch(actor=cast.alice, batch=batch)
    maintain_batches()
    last = alice.get(address)
    assert last["HX-Trigger-After-Settle"] == "notifications-changed"
    assert "hx-get" not in last.content.decode()
    assert "Try again" in last.content.decode()


def test_pages_send_few_queries_however_large_the_batch(alice: Client, cast: Cast) -> None:
    batch = filled(cast, 4)
    BatchItem.objects.bulk_create(
        BatchItem(batch=batch, position=place, byte_size=1, outcome="refused", code="x", message="No. " * 20)
        for place in range(5, 300)
    )
    for address in (batch.get_absolute_url(), reverse("batches"), reverse("notifications")):
        with CaptureQueriesContext(connection) as asked:
            page = alice.get(address)
        assert len(asked) <= 15, [one["sql"][:80] for one in asked]
        assert len(page.content) < 100_000
    assert "Later files" in alice.get(batch.get_absolute_url()).content.decode()


def test_the_list_shows_the_batches_of_all_projects_or_ones_own(client: Client, cast: Cast) -> None:
    batch = begin_batch(actor=cast.alice, project=cast.project)
    for name, shown in (("alice", [True, True]), ("adam", [True, False]), ("otto", [False, False])):
        client.force_login(getattr(cast, name))
        pages = [client.get(reverse("batches"), query).content.decode() for query in ({}, {"whose": "mine"})]
        assert [batch.reference in page for page in pages] == shown, name
