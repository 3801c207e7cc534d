"""manage.py check_worker: a working worker, a silent one, and one on another machine."""

import socket
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from diagnosis.models import WorkerStatus

pytestmark = pytest.mark.django_db


def heartbeat(host: str, seconds_ago: float) -> None:
    """Store a worker's heartbeat of so many seconds ago."""
    at = timezone.now() - timedelta(seconds=seconds_ago)
    WorkerStatus.objects.create(name=f"{host}:7", last_seen_at=at, started_at=at, loaded_version="v1")


def test_a_worker_seen_just_now_works(capsys: pytest.CaptureFixture[str]) -> None:
    heartbeat(socket.gethostname(), seconds_ago=10)
    call_command("check_worker")
    assert "model loaded: v1" in capsys.readouterr().out


@pytest.mark.parametrize(("host", "seconds_ago"), [(socket.gethostname(), 61), ("another-machine", 1)])
def test_a_silent_worker_or_one_elsewhere_does_not_count(host: str, seconds_ago: float) -> None:
    heartbeat(host, seconds_ago)
    with pytest.raises(CommandError, match="No worker on this machine"):
        call_command("check_worker")
