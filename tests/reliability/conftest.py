"""Fixtures of the reliability tests: stacks of real parts with a chosen broker and database."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.reliability.helpers.uploader import Uploader
from tests.support.servers.stack import Stack, free_port

QUICK = {"DJANGO_SETTINGS_MODULE": "tests.reliability.helpers.quick_settings"}
LIGHT = {
    "DJANGO_SETTINGS_MODULE": "tests.reliability.helpers.light_settings",
    "THROTTLE_UPLOAD": "10000/min",
}
StartStack = Callable[..., Uploader]


def broker_settings(name: str) -> dict[str, str]:
    """Return the settings of a broker by its name: valkey (embedded) or redis."""
    return {
        "valkey": {},
        "redis": {"CELERY_BROKER_URL": f"redis://127.0.0.1:{free_port()}/0"},
    }[name]


@pytest.fixture
def start_stack(tmp_path: Path) -> Iterator[StartStack]:
    """Prepare an installation and start its broker and web; the test starts the worker itself."""
    stacks: list[Stack] = []

    def start(broker: str = "valkey", var: Path | None = None, **settings: str) -> Uploader:
        stack = Stack(var or tmp_path / "var", settings={**broker_settings(broker), **settings})
        stacks.append(stack)
        stack.prepare()
        stack.start_broker()
        stack.start_web()
        uploader = Uploader(stack)
        uploader.sign_in()
        return uploader

    yield start
    for stack in stacks:
        stack.stop()


@pytest.fixture(scope="session")
def light(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Uploader]:
    """A whole running system with a fake network; each test leaves it healthy."""
    settings = {**LIGHT, "LOG_FORMAT": "json"}
    stack = Stack(tmp_path_factory.mktemp("light") / "var", settings=settings)
    try:
        stack.prepare()
        stack.start_broker()
        stack.start_web()
        uploader = Uploader(stack)
        uploader.sign_in()
        stack.start_worker()
        uploader.upload()
        uploader.wait_until_all_are_through(seconds=120)
        yield uploader
    finally:
        stack.stop()
