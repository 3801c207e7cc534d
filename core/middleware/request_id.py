"""The id of the request at work, which goes with every task that it sends; needs no Django."""

from contextvars import ContextVar
from typing import Any

from celery.signals import before_task_publish, task_postrun, task_prerun

current: ContextVar[str] = ContextVar("request_id", default="")


def current_id() -> str:
    """Return the id of the request (in a worker: of the request behind the task) at work, "" for none."""
    return current.get()


@before_task_publish.connect
def _send_along(headers: dict[str, Any], **kwargs: Any) -> None:
    if current_id():
        headers["request_id"] = current_id()


@task_prerun.connect
def _take_up(task_id: str, task: Any, **kwargs: Any) -> None:
    current.set(task.request.get("request_id") or task_id)


@task_postrun.connect
def _put_down(**kwargs: Any) -> None:
    current.set("")
