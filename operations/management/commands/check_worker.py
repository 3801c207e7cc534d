"""manage.py check_worker: whether this machine's worker works, for health checks of containers."""

import socket
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone

from core.management.base import FriendlyCommand
from diagnosis.models import WorkerStatus


class Command(FriendlyCommand):
    """Exit 0 when a worker of this machine has done work within the last minute."""

    help = (
        "Tell whether the worker on this machine works: exit code 0 when it has read a film or given its "
        "regular sign of life within the last minute, 1 otherwise."
    )
    examples = "  manage.py check_worker && echo works\n"

    def run(self, **options: Any) -> None:
        """Look for a recent heartbeat from this machine."""
        since = timezone.now() - timedelta(seconds=settings.WORKER_SILENT_AFTER_SECONDS)
        here = f"{socket.gethostname()}:"
        worker = WorkerStatus.objects.filter(name__startswith=here, last_seen_at__gte=since).first()
        if worker is None:
            silent = settings.WORKER_SILENT_AFTER_SECONDS
            raise CommandError(f"No worker on this machine has worked within the last {silent} s.")
        self.say(f"The worker works; model loaded: {worker.loaded_version or 'none yet'}.")
