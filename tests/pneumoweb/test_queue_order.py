"""Films of batches have a queue of their own: a single film passes them."""

from typing import Any

import pytest
from celery import current_app
from kombu import Connection
from kombu.utils.scheduling import cycle_by_name

from diagnosis.batches.service import add_film, begin_batch
from diagnosis.inference import dispatch
from diagnosis.inference.reconcile import reconcile
from diagnosis.intake.submission import submit_study
from diagnosis.models import Study
from tests.support.cast import Cast
from tests.support.inputs.films import chest_png


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queues of the messages sent, in order."""
    queues: list[str] = []

    def take(task: str, *, queue: str = "celery", **rest: Any) -> None:
        queues.append(queue)

    monkeypatch.setattr(current_app, "send_task", take)
    return queues


def test_each_film_is_rung_in_its_own_queue(
    cast: Cast, active_model: object, sent: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        batch = begin_batch(actor=cast.alice, project=cast.project)
        add_film(actor=cast.alice, batch=batch, data=chest_png(seed=1))
        submit_study(actor=cast.alice, project=cast.project, data=chest_png(seed=2))
    assert sent == [dispatch.BATCH_QUEUE, "celery"]


def test_lost_rings_of_single_films_are_repeated_before_those_of_batches(
    study: Study, sent: list[str], settings: Any
) -> None:
    settings.RECONCILE_QUEUED_AFTER_SECONDS = 0
    prediction = study.predictions.get()
    later = prediction.queued_at
    study.predictions.update(in_batch=True)
    other = Study.objects.get(pk=study.pk)
    other.pk, other.uid, other.sha256 = None, "00000000-0000-4000-8000-000000000000", "1" * 64
    other.save()
    other.predictions.create(
        model_version=prediction.model_version, requested_by=prediction.requested_by, queued_at=later
    )
    reconcile()
    assert sent == ["celery", dispatch.BATCH_QUEUE]


def test_at_redis_single_films_come_first_and_the_other_queues_take_turns() -> None:
    order = cycle_by_name(current_app.conf.broker_transport_options["queue_order_strategy"])()
    order.update(["batch", "celery", "unpack"])
    asked = []
    for _ in range(3):
        asked.append(order.consume(3))
        order.rotate(asked[-1][1])
    assert asked == [
        ["celery", "batch", "unpack"],
        ["celery", "unpack", "batch"],
        ["celery", "batch", "unpack"],
    ]


def test_a_worker_serves_both_queues_in_turn() -> None:
    arrived: list[str] = []
    with Connection("memory://") as connection, connection.channel() as channel:
        queues = [queue(channel) for queue in current_app.conf.task_queues]
        for queue in queues:
            queue.declare()
            queue.purge()
        producer = connection.Producer(channel)
        for routing_key in ["batch"] * 20 + ["celery"]:
            producer.publish({"queue": routing_key}, routing_key=routing_key, exchange="")
        with connection.Consumer(queues, callbacks=[lambda body, message: arrived.append(body["queue"])]):
            for _ in range(3):
                connection.drain_events(timeout=1)
        for queue in queues:
            queue.purge()
    assert "celery" in arrived[:2]
    assert arrived.count("batch") >= 1
