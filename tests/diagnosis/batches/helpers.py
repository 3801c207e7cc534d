"""Batches of the tests: begun, filled, analysed."""

from pathlib import Path

from django.conf import settings as configured
from django.utils import timezone

from diagnosis.batches.service import add_film, begin_batch
from diagnosis.models import Batch, BatchItem, Prediction
from tests.support.cast import Cast
from tests.support.inputs.films import chest_png


def begun(cast: Cast, expected: int | None = None) -> Batch:
    return begin_batch(actor=cast.alice, project=cast.project, expected=expected)


def add(cast: Cast, batch: Batch, seed: int) -> BatchItem:
    return add_film(actor=cast.alice, batch=batch, data=chest_png(seed=seed))[0]


def analyse_all(outcome: str = Prediction.Outcome.NORMAL) -> None:
    """Mark every queued film as analysed."""
    Prediction.objects.filter(status="queued").update(
        status="succeeded",
        calibrated_probability=0.2,
        outcome=outcome,
        cam=[[0.0]],
        finished_at=timezone.now(),
    )


def archives() -> list[Path]:
    return list((Path(configured.MEDIA_ROOT) / "batches").rglob("*.zip"))
