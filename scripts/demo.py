"""Fills a fresh installation with films and reads for a look around: all of it invented but the sample films.

    PNEUMOWEB_PASSWORD=… .venv/bin/python manage.py shell -c "from scripts.demo import fill; fill()"

Makes two projects, one of them with two sites, five people with that password, and variations of the sample
films, which the worker then reads like any others. `reads()` adds signed reads of two readers. Never for a
real installation.
"""

from __future__ import annotations

import itertools
import os
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
from django.contrib.auth.models import Group, User
from django.db.models import F
from django.utils import timezone
from numpy.typing import NDArray

from diagnosis.intake.submission import submit_study
from diagnosis.models import Prediction, Project, ProjectMembership, Site, Study, newest_prediction
from reading.models import Review
from reading.reviews.service import review_study

PEOPLE = {
    "nurse": ["uploader"],
    "paediatrician": ["reader"],
    "radiologist": ["reader"],
    "auditor": ["auditor"],
    "head": ["uploader", "reader", "administrator"],
}
SAMPLES = sorted((Path(__file__).resolve().parent.parent / "samples").glob("*.jpeg"))
SICK = {"film-01", "film-04", "film-06"}  # the labels of samples/README.md
SITES = (("BER", "Berlin"), ("HAM", "Hamburg"))
WEEKS = 8


def fill(films: int = 36) -> None:
    """Create projects, people and `films` films of eight weeks, waiting to be read."""
    ward = Project.objects.create(slug="ward-7", name="Ward 7", description="Children aged one to five.")
    sites = [Site.objects.create(project=ward, code=code, name=name) for code, name in SITES]
    Project.objects.create(slug="night", name="Night shift", ai_visibility=Project.AiVisibility.HIDDEN)
    for name, roles in PEOPLE.items():
        person = User.objects.create_user(name, password=os.environ["PNEUMOWEB_PASSWORD"])
        person.groups.set(Group.objects.filter(name__in=roles))
        for project in Project.objects.exclude(open_to_all=True):
            ProjectMembership.objects.create(project=project, user=person)
    nurse = User.objects.get(username="nurse")
    generator = np.random.default_rng(7)
    for number, sample in zip(range(films), itertools.cycle(SAMPLES), strict=False):
        film = varied(sample, generator)
        code = f"{'P' if sample.stem in SICK else 'N'}{number:03d}"
        study = submit_study(
            actor=nurse, project=ward, data=film, subject_code=code, site=sites[number % len(sites)]
        ).study
        back = timedelta(days=7 * WEEKS * (1 - number / films), minutes=37 * number)
        Study.objects.filter(pk=study.pk).update(created_at=timezone.now() - back)
        study.predictions.update(queued_at=timezone.now() - back)


def varied(sample: Path, generator: np.random.Generator) -> bytes:
    """Return the film with another crop and brightness, as PNG."""
    grey: NDArray[np.uint8] = np.asarray(cv2.imread(str(sample), cv2.IMREAD_GRAYSCALE), np.uint8)
    top, bottom, left, right = generator.integers(0, 40, 4)
    cut = grey[top : grey.shape[0] - bottom, left : grey.shape[1] - right].astype(np.float32)
    changed = np.clip(cut * generator.uniform(0.85, 1.15) + generator.uniform(-12, 12), 0, 255)
    return cv2.imencode(".png", changed.astype(np.uint8))[1].tobytes()


def reads(share: float = 0.8) -> None:
    """Let both readers sign reads of most films: mostly what the label says, sometimes not."""
    seconds = timedelta(seconds=2)  # as if the worker had read each film when it came
    read = Prediction.objects.filter(status=Prediction.Status.SUCCEEDED)
    read.update(started_at=F("queued_at") + seconds / 2, finished_at=F("queued_at") + seconds)
    generator = np.random.default_rng(11)
    for name, care in (("paediatrician", 0.88), ("radiologist", 0.95)):
        reader = User.objects.get(username=name)
        for study in Study.objects.visible_to(reader).order_by("pk"):
            if generator.random() > share:
                continue
            sick = study.subject_code.startswith("P") == (generator.random() < care)
            finding = Review.Finding.PNEUMONIA if sick else Review.Finding.NORMAL
            prediction = newest_prediction(study)
            done = prediction is not None and prediction.status == Prediction.Status.SUCCEEDED
            agrees = prediction.outcome == finding if done and prediction and not study.ai_hidden else None
            confidence = int(generator.integers(55, 98))
            review_study(
                actor=reader,
                study=study,
                finding=finding,
                confidence=confidence,
                agrees_with_ai=agrees,
                sign=True,
            )
