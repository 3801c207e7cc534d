"""A program of its own: many threads write events and claim one prediction, on the database it is given.

Run by tests in a process of its own: what is tested is the real database, not the tests' one in memory.
It prints one JSON object.
"""

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import django

WRITERS = 20
EVENTS_EACH = 5
T = TypeVar("T")


def at_once(work: Callable[[], T]) -> list[T]:
    """Let all writers begin at the same moment; return what each gave."""
    from django.db import connection

    barrier = Barrier(WRITERS)

    def one(number: int) -> T:
        barrier.wait(timeout=60)
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(one, range(WRITERS)))


def write_events() -> None:
    """Append a few events, each in a transaction of its own."""
    from audit import trail

    for number in range(EVENTS_EACH):
        trail.record(actor=None, verb="film_downloaded", number=number)


def waiting_prediction() -> str:
    """Make the rows of one film that waits; return the prediction's id."""
    from django.contrib.auth.models import User

    from diagnosis.models import ModelVersion, Prediction, Project
    from tests.support.inputs.film_rows import film_row

    user = User.objects.create_user("alice")
    model = ModelVersion.objects.create(
        version="test", threshold=0.5, borderline_low=0.4, borderline_high=0.6, card={}, state="active"
    )
    study = film_row(0, project=Project.objects.get(slug="general"), uploaded_by=user)
    study.save(force_insert=True)
    return str(Prediction.objects.create(study=study, model_version=model, requested_by=user).uid)


def is_refused(change: Callable[[], object]) -> bool:
    """True when the database refuses to change the trail."""
    from django.db import DatabaseError, transaction

    try:
        with transaction.atomic():
            change()
    except DatabaseError as error:
        return "append-only" in str(error)
    return False


def truncate() -> None:
    """Empty the trail's table as a whole; SQLite knows no TRUNCATE, there it is a DELETE."""
    from django.db import connection

    statement = "TRUNCATE" if connection.vendor == "postgresql" else "DELETE FROM"
    with connection.cursor() as cursor:
        cursor.execute(f"{statement} diagnosis_auditevent")


def main() -> None:
    """Write, claim, finish, tamper, and tell what came of it."""
    django.setup()
    from audit import trail
    from audit.models import AuditEvent
    from diagnosis.inference.worker import claim_prediction, finish
    from diagnosis.models import Prediction
    from tests.support.results import film_result

    at_once(write_events)
    uid = waiting_prediction()
    claims = [claim for claim in at_once(lambda: claim_prediction(uid)) if claim is not None]
    finished = at_once(lambda: finish(claims[0], film_result()))
    told = {
        "whole": trail.verify_chain().is_whole,
        "events": AuditEvent.objects.count(),
        "claims": len(claims),
        "finished": sum(finished),
        "status": Prediction.objects.get().status,
        "update_refused": is_refused(lambda: AuditEvent.objects.filter(seq=1).update(verb="x")),
        "delete_refused": is_refused(lambda: AuditEvent.objects.filter(seq=1).delete()),
        "truncate_refused": is_refused(truncate),
        "whole_afterwards": trail.verify_chain().is_whole,
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
