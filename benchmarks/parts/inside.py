"""What a measurement does inside Django, in a process of its own: fill, queue, claim and finish, dispatch."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from typing import Any

import django

BATCH = 2000


def fill(count: int) -> None:
    """Take in so many films as a batch, with everything that an upload does."""
    from django.contrib.auth.models import User

    from benchmarks.comparison.films import films
    from diagnosis.batches.service import add_film, begin_batch
    from diagnosis.models import Project

    actor = User.objects.get(username="admin")
    batch = begin_batch(actor=actor, project=Project.objects.all()[0])
    for _, film in zip(range(count), films(), strict=False):
        add_film(actor=actor, batch=batch, data=film)


def queue_again() -> None:
    """Queue every film again and send a message for each, and some more for a worker that is idle."""
    from diagnosis.inference import dispatch
    from diagnosis.models import Prediction

    nothing = dict.fromkeys(
        ("logit", "probability", "calibrated_probability", "cam", "cam_area", "cam_strength", "finished_at")
    )
    rows = Prediction.objects.filter(study__byte_size__gt=1)
    rows.update(status="queued", attempts=0, outcome="", lease_token=None, lease_expires_at=None, **nothing)
    uids = [str(uid) for uid in rows.values_list("uid", flat=True)]
    for uid in [*uids, *uids[:8]]:
        dispatch.enqueue_batch_prediction(uid)


def rows(count: int) -> None:
    """Store so many waiting predictions without files."""
    from django.contrib.auth.models import User

    from diagnosis.inference.registry import active_model
    from diagnosis.models import Prediction, Project, Study

    actor, project, model = User.objects.get(username="admin"), Project.objects.all()[0], active_model()
    first = Study.objects.count()
    about = {"project": project, "uploaded_by": actor, "source": "file", "media_format": "PNG"}
    size = {"byte_size": 1, "width": 1, "height": 1, "bit_depth": 8}
    studies = [Study(**about, **size, sha256=f"{first + number:064x}") for number in range(count)]
    Study.objects.bulk_create(studies, batch_size=500)
    asked = {"model_version": model, "requested_by": actor, "in_batch": True}
    Prediction.objects.bulk_create((Prediction(study=study, **asked) for study in studies), batch_size=500)


def _claim_and_finish(uids: list[str]) -> None:
    from diagnosis.inference.worker import claim_prediction, finish
    from tests.support.results import film_result

    for uid in uids:
        claim = claim_prediction(uid)
        if claim is not None:
            finish(claim, film_result(0.9))


def finish(processes: int) -> None:
    """Claim and finish every waiting row without files from so many processes; print films a second."""
    from django.db import connection

    from diagnosis.models import Prediction

    waiting = Prediction.objects.filter(status="queued", study__byte_size=1)
    uids = [str(uid) for uid in waiting.values_list("uid", flat=True)[:1500]]
    import tests.support.results  # noqa: F401 - TensorFlow loads before the clock runs

    connection.close()
    context = multiprocessing.get_context("fork")
    crowd = [
        context.Process(target=_claim_and_finish, args=(uids[number::processes],))
        for number in range(processes)
    ]
    started = time.perf_counter()
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    print(json.dumps({"films": len(uids), "seconds": time.perf_counter() - started}))


def messages(count: int) -> None:
    """Send so many messages for an unknown film; print messages a second."""
    from diagnosis.inference import dispatch

    started = time.perf_counter()
    told = sum(dispatch.enqueue_prediction("00000000-0000-4000-8000-000000000000") for _ in range(count))
    print(json.dumps({"messages": told, "seconds": time.perf_counter() - started}))


TASKS: dict[str, Any] = {
    "fill": fill,
    "queue_again": queue_again,
    "rows": rows,
    "finish": finish,
    "messages": messages,
}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pneumoweb.settings")
    django.setup()
    TASKS[sys.argv[1]](*map(int, sys.argv[2:]))
