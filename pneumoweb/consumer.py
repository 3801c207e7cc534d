"""Recovery of the Celery consumer: reconnect after a failed acknowledgement, then reconcile at once."""

import logging
from typing import Any

from celery import bootsteps
from celery.worker.request import Request

logger = logging.getLogger(__name__)


class PersistentRequest(Request):
    """Passes the failure of an acknowledgement on to the consumer, which then reconnects.

    Celery only logs a timeout: the message stays unacknowledged, and a worker that takes one message at a
    time never takes another. A broker that hangs for some seconds is enough.
    """

    def __init__(self, message: Any, *args: Any, **kwargs: Any) -> None:
        # Only the errors named here are logged instead of raised.
        super().__init__(message, *args, **{**kwargs, "connection_errors": ()})


class ReconcileOnConnect(bootsteps.StartStopStep):
    """Reconciles whenever the connection is there again, without waiting for the scheduler's next pass."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, parent: Any) -> None:
        """Send the reconciler's task; where that fails, the scheduler will."""
        try:
            parent.app.send_task("diagnosis.tasks.reconcile", ignore_result=True)
        except Exception as error:  # the broker is gone again: every transport raises its own kinds
            logger.warning("The reconciler could not be called (%s).", type(error).__name__)
