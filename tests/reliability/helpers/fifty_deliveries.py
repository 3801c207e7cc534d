"""A program: one prediction delivered fifty times at once, and one finished late a hundred times.

A test runs it with the real network. It prints one JSON object.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import django

DELIVERIES = 50


def main() -> None:
    """Deliver, let a lease expire, and report the results."""
    django.setup()
    from django.contrib.auth.models import User
    from django.db import connection
    from django.utils import timezone

    from audit.models import AuditEvent
    from diagnosis.inference import registry
    from diagnosis.inference.worker import claim_prediction, finish, run_prediction
    from diagnosis.intake.submission import submit_study
    from diagnosis.models import Prediction, Project
    from tests.support.inputs.films import chest_png
    from tests.support.results import film_result

    registry.activate(actor=None, model=registry.register_shipped(actor=None)[-1])
    actor, project = User.objects.create_superuser("adam"), Project.objects.get(slug="general")

    def queued(seed: int) -> Prediction:
        return submit_study(actor=actor, project=project, data=chest_png(seed=seed)).prediction

    barrier = Barrier(DELIVERIES)
    delivered = queued(1)

    def deliver(number: int) -> None:
        barrier.wait(timeout=60)
        try:
            run_prediction(prediction_uid=str(delivered.uid))
        finally:
            connection.close()

    with ThreadPoolExecutor(DELIVERIES) as pool:
        list(pool.map(deliver, range(DELIVERIES)))

    overtaken = queued(2)
    late = claim_prediction(str(overtaken.uid))
    Prediction.objects.filter(pk=overtaken.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    successor = claim_prediction(str(overtaken.uid))
    assert late is not None
    assert successor is not None
    refused = sum(not finish(late, film_result(0.1)) for _ in range(DELIVERIES))
    written = finish(successor, film_result(0.9))
    refused_afterwards = sum(not finish(late, film_result(0.1)) for _ in range(DELIVERIES))
    delivered.refresh_from_db()
    overtaken.refresh_from_db()
    results = AuditEvent.objects.filter(verb="prediction_succeeded")
    report = {
        "status": delivered.status,
        "attempts": delivered.attempts,
        "results": results.filter(object_id=str(delivered.uid)).count(),
        "late_refused": refused + refused_afterwards,
        "successor_written": written,
        "kept": round(overtaken.calibrated_probability or 0.0, 6),
    }
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main()
