"""Progress of a batch: files by outcome, films by state, results only where they are shown."""

import pytest

from diagnosis.batches.progress import progress_of
from diagnosis.batches.service import add_film, close_batch
from diagnosis.models import Prediction, Project, Study
from diagnosis.studies.trash import move_to_trash
from tests.diagnosis.batches.helpers import add, analyse_all, begun
from tests.support.cast import Cast
from tests.support.inputs.films import NOT_FILMS

pytestmark = pytest.mark.usefixtures("active_model")


def test_results_are_counted_only_where_they_are_shown(cast: Cast) -> None:
    batch = begun(cast)
    for seed in (1, 2, 3):
        add(cast, batch, seed)
    first = Prediction.objects.order_by("pk")[0]
    Prediction.objects.exclude(pk=first.pk).update(status="running")
    analyse_all(Prediction.Outcome.PNEUMONIA)
    Prediction.objects.filter(status="running").update(status="queued")
    analyse_all()
    shown = progress_of(batch, cast.rania)
    assert (shown.ready, shown.above, shown.below, shown.hidden) == (3, 1, 2, 0)
    Project.objects.update(ai_visibility=Project.AiVisibility.HIDDEN)
    blinded = progress_of(batch, cast.rania)
    assert (blinded.ready, blinded.above, blinded.below, blinded.hidden) == (3, 0, 0, 3)
    first.study.disclosures.create(reader=cast.rania)
    assert progress_of(batch, cast.rania).above == 1
    assert progress_of(batch, cast.alice).above == 1  # an uploader who is no reader always sees it


def test_progress_counts_files_and_films(cast: Cast) -> None:
    batch = begun(cast, expected=5)
    for seed in (1, 2):
        add(cast, batch, seed)
    add_film(actor=cast.alice, batch=batch, data=NOT_FILMS["text"])
    seen = progress_of(batch, cast.alice)
    assert (seen.total, seen.to_come, seen.accepted, seen.refused, seen.queued, seen.done) == (
        5,
        2,
        2,
        1,
        2,
        1,
    )
    analyse_all()
    close_batch(actor=cast.alice, batch=batch)
    batch.refresh_from_db()
    assert (progress_of(batch, cast.alice).percent, progress_of(batch, cast.alice).total) == (100, 3)
    move_to_trash(actor=cast.adam, study=Study.objects.all()[0])
    assert progress_of(batch, cast.alice).ready == 1
