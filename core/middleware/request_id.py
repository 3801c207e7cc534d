"""The id of the current request, which every Celery message of it carries; needs no Django."""

from contextvars import ContextVar
from typing import Any

from celery.signals import before_task_publish, task_postrun, task_prerun

current: ContextVar[str] = ContextVar("request_id", default="")


def current_id() -> str:
    """Return the id of the current request, in a worker that of the request behind the task; "" for none."""
    return current.get()


@before_task_publish.connect
def _add_to_message(headers: dict[str, Any], **kwargs: Any) -> None:
    if current_id():
        headers["request_id"] = current_id()


@task_prerun.connect
def _set_from_message(task_id: str, task: Any, **kwargs: Any) -> None:
    current.set(task.request.get("request_id") or task_id)


@task_postrun.connect
def _reset(**kwargs: Any) -> None:
    current.set("")
