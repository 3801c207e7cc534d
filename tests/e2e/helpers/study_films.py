"""Films in chosen states, as rows in the web server's database; no analysis runs."""

import json
from datetime import timedelta
from typing import Any

from django.utils import timezone

from diagnosis.intake.submission import submit_study
from diagnosis.models import ModelVersion, Prediction, Study
from tests.support.cards import stored_card
from tests.support.cast import make_cast
from tests.support.inputs.films import chest_like, png

HEIGHT, WIDTH = 900, 1100
RESULT: dict[str, Any] = {
    "status": "succeeded",
    "attempts": 1,
    "logit": 1.5,
    "probability": 0.82,
    "calibrated_probability": 0.78,
    "outcome": "pneumonia",
    "layer": "block5_conv3",
    "cam": [[0.1 * (row + column) for column in range(14)] for row in range(14)],
    "cam_strength": 2.6,
    "preprocess_ms": 9.0,
    "forward_ms": 210.0,
}


def make(read: int, unread: int) -> None:
    """Create the cast, an active model and films with and without a result; prints their uids as JSON."""
    cast = make_cast()
    ModelVersion.objects.create(
        version="test-1",
        architecture="vgg16-gap-512-256-128",
        weights_sha256="0" * 64,
        threshold=0.5,
        borderline_low=0.4,
        borderline_high=0.6,
        card=stored_card(metrics={"cam_reference": 2.0, "n": 10, "auc": 0.9, "auc_ci": [0.8, 0.95]}),
        state=ModelVersion.State.ACTIVE,
    )
    uids = []
    for number in range(read + unread):
        film = png(chest_like(HEIGHT, WIDTH, seed=number))
        uids.append(str(submit_study(actor=cast.alice, project=cast.project, data=film).study.uid))
    for uid in uids[:read]:
        finish(uid)
    for uid in uids[read:]:
        begin(uid)
    print(json.dumps({"read": uids[:read], "unread": uids[read:]}))  # noqa: T201 - read by the test


def begin(uid: str) -> None:
    """Mark the film as being analysed, with a lease of an hour."""
    later = timezone.now() + timedelta(hours=1)
    Prediction.objects.filter(study__uid=uid).update(status="running", attempts=1, lease_expires_at=later)


def finish(uid: str) -> None:
    """Give the film a result above the operating point."""
    Prediction.objects.filter(study=Study.objects.get(uid=uid)).update(finished_at=timezone.now(), **RESULT)
