"""What a worker does about a broker that failed: notice, connect again, look for lost films at once."""

import logging
from typing import Any

from celery import bootsteps
from celery.worker.request import Request

logger = logging.getLogger(__name__)


class PersistentRequest(Request):
    """Lets the failure of an acknowledgement through to the consumer, who connects again.

    Celery itself logs a timeout and goes on: the message counts as being at work for ever, and a worker that
    takes one message at a time never takes another. A broker that hangs for some seconds is enough for that.
    """

    def __init__(self, message: Any, *args: Any, **kwargs: Any) -> None:
        # Only the errors named here are logged instead of raised.
        super().__init__(message, *args, **{**kwargs, "connection_errors": ()})


class LookForLostFilms(bootsteps.StartStopStep):
    """Whenever the connection is there (again): the clock's next pass may be some seconds away, or lost."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, parent: Any) -> None:
        """Send the reconciler's task; where that fails, the clock will."""
        try:
            parent.app.send_task("diagnosis.tasks.reconcile", ignore_result=True)
        except Exception as error:  # the broker is gone again: every transport raises its own kinds
            logger.warning("The reconciler could not be called (%s).", type(error).__name__)
