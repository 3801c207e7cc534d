"""Batches: begun, filled, interrupted and resumed, closed; visible to their project only."""

import io
from typing import Any

import pytest

from audit.models import AuditEvent
from core.errors import Conflict, NotAllowed, NotReady
from diagnosis.batches.maintenance import final_counts
from diagnosis.batches.service import add_film, begin_batch, begin_zip_batch, close_batch
from diagnosis.inference import dispatch
from diagnosis.models import Batch, BatchItem, ModelVersion, Prediction, Study
from tests.diagnosis.batches.helpers import add, archives, begun
from tests.support.cast import Cast
from tests.support.inputs import zips
from tests.support.inputs.films import NOT_FILMS, chest_png

pytestmark = pytest.mark.usefixtures("active_model")
Outcome = BatchItem.Outcome


# --- Films one by one ----------------------------------------------------------------------------------


def test_each_film_gets_its_position_and_its_outcome(cast: Cast) -> None:
    batch = begun(cast, expected=4)
    add(cast, batch, 1)
    add(cast, batch, 2)
    add_film(actor=cast.alice, batch=batch, data=NOT_FILMS["text"])
    items = list(batch.items.values_list("position", "outcome", "code"))
    assert items == [(1, "accepted", ""), (2, "accepted", ""), (3, "refused", "not_an_image")]
    assert Prediction.objects.filter(in_batch=True).count() == 2
    assert final_counts(batch) == {
        "waiting": 0, "accepted": 2, "duplicate": 0, "refused": 1, "missing": 1, "failed": 0,
    }  # fmt: skip


def test_a_film_that_the_project_already_has_is_a_duplicate_with_its_link(cast: Cast, study: Study) -> None:
    item = add(cast, begun(cast), 0)
    assert (item.outcome, item.study) == (Outcome.DUPLICATE, study)
    assert Study.objects.count() == 1


def test_sending_all_again_after_an_interruption_stores_only_what_was_missing(cast: Cast) -> None:
    batch = begun(cast, expected=3)
    first = [add(cast, batch, seed) for seed in (1, 2)]
    again = [add(cast, batch, seed) for seed in (1, 2, 3)]
    assert [item.pk for item in again[:2]] == [item.pk for item in first]
    assert [item.outcome for item in again] == [Outcome.ACCEPTED] * 3
    assert not add_film(actor=cast.alice, batch=batch, data=chest_png(seed=1))[1]
    assert (Study.objects.count(), batch.items.count()) == (3, 3)


def test_a_temporary_failure_leaves_the_item_waiting_for_the_same_film(cast: Cast) -> None:
    batch = begun(cast)
    ModelVersion.objects.update(state=ModelVersion.State.RETIRED)
    with pytest.raises(NotReady):
        add(cast, batch, 1)
    assert batch.items.get().outcome == Outcome.WAITING
    ModelVersion.objects.update(state=ModelVersion.State.ACTIVE)
    assert add(cast, batch, 1).outcome == Outcome.ACCEPTED
    assert batch.items.get().outcome == Outcome.ACCEPTED


def test_a_closed_batch_accepts_no_film_and_reports_what_was_never_sent(cast: Cast) -> None:
    batch = begun(cast)
    add(cast, batch, 1)
    batch.items.create(position=2, byte_size=5, sha256="0" * 64)  # its transfer was interrupted
    close_batch(actor=cast.alice, batch=batch)
    close_batch(actor=cast.alice, batch=batch)
    assert list(batch.items.values_list("outcome", "code")) == [("accepted", ""), ("refused", "not_sent")]
    with pytest.raises(Conflict) as refused:
        add(cast, batch, 3)
    assert refused.value.code == "batch_closed"
    assert AuditEvent.objects.filter(verb="batch_closed").count() == 1


def test_a_batch_has_a_limit(cast: Cast, settings: Any) -> None:
    settings.BATCH_MAX_FILES = 1
    batch = begun(cast)
    add(cast, batch, 1)
    for refused in (lambda: add(cast, batch, 2), lambda: begun(cast, expected=2)):
        with pytest.raises(Conflict) as caught:
            refused()
        assert caught.value.code == "batch_too_many"


def test_only_its_creator_adds_to_a_batch_and_only_uploaders_begin_one(cast: Cast) -> None:
    batch = begun(cast)
    for person in (cast.rania, cast.adam, cast.otto):
        with pytest.raises(NotAllowed):
            add_film(actor=person, batch=batch, data=chest_png())
        with pytest.raises(NotAllowed):
            close_batch(actor=person, batch=batch)
    for person, project in ((cast.rania, cast.project), (cast.alice, cast.other_project)):
        with pytest.raises(NotAllowed):
            begin_batch(actor=person, project=project)
        with pytest.raises(NotAllowed):
            begin_zip_batch(actor=person, project=project, archive=io.BytesIO(zips.films_zip(1)))
    assert (Study.objects.count(), Batch.objects.count(), archives()) == (0, 1, [])


def test_batches_are_visible_to_their_project(cast: Cast) -> None:
    batch = begun(cast)
    sees = {name for name in vars(cast) if "project" not in name}
    sees = {name for name in sees if batch in Batch.objects.visible_to(getattr(cast, name))}
    assert sees == {"alice", "rania", "aude", "adam"}


# --- Archives -------------------------------------------------------------------------------------------


def test_an_archive_is_kept_with_an_item_for_each_file_until_it_is_unpacked(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(dispatch, "enqueue_unpacking", sent.append)
    with django_capture_on_commit_callbacks(execute=True):
        batch = begin_zip_batch(actor=cast.alice, project=cast.project, archive=io.BytesIO(zips.films_zip(3)))
    assert sent == [str(batch.uid)]
    assert [item.outcome for item in batch.items.all()] == [Outcome.WAITING] * 3
    assert [path.parent.name for path in archives()] == [str(batch.uid)]


def test_an_archive_whose_rows_cannot_be_written_leaves_no_file(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**details: object) -> None:
        raise NotReady("from_the_test", "No.")

    monkeypatch.setattr("diagnosis.batches.service.trail.record", broken)
    with pytest.raises(NotReady):
        begin_zip_batch(actor=cast.alice, project=cast.project, archive=io.BytesIO(zips.films_zip(1)))
    assert (archives(), Batch.objects.count()) == ([], 0)
