"""A missing or hanging worker is soon reported by /health, /readyz and the pages."""

import signal

import pytest
import requests

from tests.reliability.conftest import QUICK, StartStack
from tests.support.servers.stack import ADMIN, ADMIN_PASSWORD
from tests.support.servers.waiting import wait_until

pytestmark = [pytest.mark.worker, pytest.mark.tensorflow]
SILENT_SECONDS = 10  # as in quick_settings; 60 in an installation
NOTICE_SECONDS = SILENT_SECONDS + 5


def open_pages(url: str) -> requests.Session:
    """Sign in through the page; return the browser's session."""
    person = requests.Session()
    person.get(f"{url}/accounts/login/", timeout=20)
    form = {
        "username": ADMIN,
        "password": ADMIN_PASSWORD,
        "csrfmiddlewaretoken": person.cookies["csrftoken"],
    }
    assert person.post(f"{url}/accounts/login/", data=form, timeout=20).ok
    return person


def test_health_readiness_and_the_pages_report_a_missing_and_a_hanging_worker(
    start_stack: StartStack,
) -> None:
    uploader = start_stack("valkey", **QUICK)
    uploader.stack.manage("collectstatic", "--noinput", "--verbosity", "0")
    uploader.stack.kill("web")
    uploader.stack.start_web()  # it lists the static files at its start
    person = open_pages(uploader.stack.url)

    def reported() -> tuple[str, int, bool]:
        """Return the state, the status code, and whether the page shows the banner."""
        url = uploader.stack.url
        health = requests.get(f"{url}/health", timeout=20).json()["status"]
        ready = requests.get(f"{url}/readyz", timeout=20).status_code
        return health, ready, "kept" in person.get(f"{url}/banner/", timeout=20).text

    healthy, degraded = ("healthy", 200, False), ("degraded", 503, True)
    assert reported() == degraded
    uploader.stack.start_worker()
    wait_until(lambda: reported() == healthy, seconds=180, what="a worker that works")
    uploader.stack.send("worker", signal.SIGSTOP)
    wait_until(lambda: reported() == degraded, seconds=NOTICE_SECONDS, what="hanging worker reported")
    uploader.stack.send("worker", signal.SIGCONT)
    wait_until(lambda: reported() == healthy, seconds=60, what="a worker that works again")
    uploader.stack.kill("worker")
    wait_until(lambda: reported() == degraded, seconds=NOTICE_SECONDS, what="missing worker reported")
