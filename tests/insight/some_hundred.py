"""Some hundred films with results and signed reads, as rows only: what statistics are tried on."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from diagnosis.models import ModelVersion, Prediction, Project, ResultDisclosure, Study
from reading.models import Review
from tests.support.inputs.film_rows import film_row


def bring_in(
    project: Project,
    uploader: User,
    model: ModelVersion,
    *,
    films: int = 300,
    weeks: int = 10,
    until: datetime | None = None,
    seed: int = 1,
) -> list[Study]:
    """Films of the last weeks, two or so a subject; nine of ten with a result, some waiting, some failed.

    Each film carries `sick`, the truth that only this generator knows; scores follow it with noise.
    """
    chance, last = random.Random(seed), until or timezone.now() - timedelta(minutes=5)
    step = timedelta(weeks=weeks) / films
    studies = [
        film_row(
            f"{seed:04x}{project.pk:04x}{number:056x}",
            project=project,
            uploaded_by=uploader,
            subject_code=f"S-{number // 2:04d}" if number % 5 else "",
            created_at=last - step * (films - number),
        )
        for number in range(films)
    ]
    studies = Study.objects.bulk_create(studies)
    Prediction.objects.bulk_create([_prediction(study, model, chance) for study in studies])
    return studies


def _prediction(study: Study, model: ModelVersion, chance: random.Random) -> Prediction:
    study.sick = chance.random() < 0.4  # type: ignore[attr-defined]
    common = {
        "study": study,
        "model_version": model,
        "requested_by": study.uploaded_by,
        "queued_at": study.created_at,
    }
    if (luck := chance.random()) < 0.06:
        status = Prediction.Status.FAILED if luck < 0.03 else Prediction.Status.QUEUED
        return Prediction(status=status, **common)
    score = min(0.999, max(0.001, chance.gauss(0.75 if study.sick else 0.25, 0.2)))  # type: ignore[attr-defined]
    return Prediction(
        status=Prediction.Status.SUCCEEDED,
        finished_at=study.created_at + timedelta(seconds=chance.uniform(1, 20)),
        logit=0.0,
        probability=score,
        calibrated_probability=score,
        outcome="pneumonia" if score >= model.threshold else "normal",
        cam=[[0.0]],
        cam_strength=0.0,
        **common,
    )


def have_read(
    reader: User, studies: Sequence[Study], *, share: float = 0.8, skill: float = 0.9, seed: int = 2
) -> None:
    """Signed reads of some of the films, right with a probability of `skill`; their results are opened."""
    chance = random.Random(seed)
    chosen = [study for study in studies if chance.random() < share]
    reads = []
    for study in chosen:
        sick = study.sick is (chance.random() < skill)  # type: ignore[attr-defined]
        well = "normal" if chance.random() < 0.8 else "other"
        unreadable = chance.random() < 0.04
        reads.append(
            Review(
                study=study,
                reader=reader,
                finding="not_readable" if unreadable else "pneumonia" if sick else well,
                confidence=chance.randrange(40, 100),
                signed_at=study.created_at + timedelta(hours=chance.uniform(1, 90)),
            )
        )
    Review.objects.bulk_create(reads)
    ResultDisclosure.objects.bulk_create([ResultDisclosure(study=study, reader=reader) for study in chosen])
