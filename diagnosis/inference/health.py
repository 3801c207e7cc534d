"""Health of the installation, judged by progress (rows, heartbeats) instead of a worker's ping."""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from django.conf import settings
from django.db.models import Count, Min
from django.utils import timezone
from django.utils.translation import gettext as _

from core.database_errors import UNREACHABLE
from diagnosis.models import ModelVersion, Prediction, WorkerStatus

_KEEP_SILENT_WORKERS = timedelta(days=1)


class _HeartbeatInterval:
    """Limits how often this process records its heartbeat: each costs two transactions."""

    seconds = 5.0

    def __init__(self) -> None:
        self._due_at = 0.0

    def is_over(self) -> bool:
        """True when the next heartbeat is due."""
        return monotonic() >= self._due_at

    def restart(self) -> None:
        """Begin the next interval now."""
        self._due_at = monotonic() + self.seconds


_interval = _HeartbeatInterval()


@dataclass(frozen=True)
class Health:
    """What /health reports. `database_ok` False means that nothing else is known."""

    database_ok: bool
    worker_alive: bool
    model_loaded: bool
    active_version: str
    waiting: int
    oldest_wait_seconds: float

    @property
    def status(self) -> str:
        """healthy, degraded (films are kept but not analysed) or unhealthy (no database)."""
        if not self.database_ok:
            return "unhealthy"
        return "healthy" if self.worker_alive and self.model_loaded else "degraded"

    @property
    def sentence(self) -> str:
        """One sentence for people, with the next step."""
        if not self.database_ok:
            return _("The database does not answer. Tell an administrator.")
        if not self.worker_alive:
            return _(
                "No worker is reading films at the moment. Uploaded films are kept and will be read later."
            )
        if not self.model_loaded:
            return _(
                "The worker has not loaded the model yet. Uploaded films are kept and will be read soon."
            )
        return _("Everything is working.")


def check_health() -> Health:
    """Query recent heartbeats, the loaded model and the waiting films."""
    try:
        return _ask()
    except UNREACHABLE:
        return Health(False, False, False, "", 0, 0.0)


def _ask() -> Health:
    now = timezone.now()
    seen_after = now - timedelta(seconds=settings.WORKER_SILENT_AFTER_SECONDS)
    active = (
        ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE).values_list("version", flat=True).first()
    )
    loaded = set(
        WorkerStatus.objects.filter(last_seen_at__gte=seen_after).values_list("loaded_version", flat=True)
    )
    unfinished = Prediction.objects.filter(status__in=[Prediction.Status.QUEUED, Prediction.Status.RUNNING])
    queue = unfinished.aggregate(count=Count("pk"), oldest=Min("queued_at"))
    return Health(
        database_ok=True,
        worker_alive=bool(loaded),
        model_loaded=bool(active) and active in loaded,
        active_version=active or "",
        waiting=queue["count"],
        oldest_wait_seconds=_seconds_since(queue["oldest"], now),
    )


def _seconds_since(moment: datetime | None, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds()) if moment else 0.0


def record_heartbeat(*, loaded_version: str) -> None:
    """Record this worker's heartbeat; called after completed work, in the process that did it."""
    now = timezone.now()
    WorkerStatus.objects.update_or_create(
        name=f"{socket.gethostname()}:{os.getppid()}",
        defaults={"last_seen_at": now, "loaded_version": loaded_version},
        create_defaults={"last_seen_at": now, "loaded_version": loaded_version, "started_at": now},
    )
    WorkerStatus.objects.filter(last_seen_at__lt=now - _KEEP_SILENT_WORKERS).delete()


def record_heartbeat_if_due(loaded_version: Callable[[], str]) -> None:
    """Record this worker's heartbeat after a film, unless the last one is only seconds old."""
    if _interval.is_over():
        record_heartbeat(loaded_version=loaded_version())
        _interval.restart()


def forget_local_workers() -> None:
    """Delete the heartbeats of this machine's earlier workers; called before its processes start.

    Otherwise a start within a minute of a stop would report the model as loaded while it is still loading.
    """
    WorkerStatus.objects.filter(name__startswith=f"{socket.gethostname()}:").delete()
