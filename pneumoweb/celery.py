"""The Celery application: tasks are found in the apps, every option is in settings.py."""

import os
from typing import Any

from celery import Celery, Task
from celery.app.amqp import AMQP
from celery.signals import setup_logging
from kombu import Connection

from core.middleware import request_id  # its signals carry the request's id into the worker  # noqa: F401

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pneumoweb.settings")

RECONNECT_SECONDS = 2


class PersistentConnection(Connection):
    """Retries a lost broker every other second; Celery's own pauses grow to half a minute."""

    def ensure_connection(self, *args: Any, **kwargs: Any) -> "PersistentConnection":
        """Return the connection once it is there; arguments as in kombu."""
        kwargs.setdefault("interval_max", RECONNECT_SECONDS)
        super().ensure_connection(*args, **kwargs)
        return self


class _Messages(AMQP):
    Connection = PersistentConnection


class _Task(Task):  # type: ignore[type-arg]  # generic in the stubs only
    Request = "pneumoweb.consumer:PersistentRequest"


app = Celery("pneumoweb", amqp=_Messages, task_cls=_Task)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["consumer"].add("pneumoweb.consumer:ReconcileOnConnect")
app.autodiscover_tasks()


@setup_logging.connect
def _leave_the_log_to_the_settings(**kwargs: Any) -> None:
    """Keep Celery from setting up a log of its own, so that LOGGING holds for all lines."""
