"""The number of an upload stands in the lines of the web server and of the worker who read the film."""

import json
from typing import Any

import pytest

from tests.reliability.helpers.uploader import Uploader

pytestmark = pytest.mark.worker
NUMBER = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"


def lines(uploader: Uploader, process: str) -> list[dict[str, Any]]:
    """Return what the process has written as JSON; Celery's greeting is not."""
    return [json.loads(line) for line in uploader.stack.log(process).splitlines() if line.startswith("{")]


def test_an_uploads_number_leads_from_the_web_servers_log_to_the_workers(light: Uploader) -> None:
    assert light.try_upload(NUMBER)[0] == 201
    light.wait_until_all_are_through(seconds=60)
    (answered,) = [line for line in lines(light, "web") if line.get("request_id") == NUMBER]
    assert (answered["method"], answered["route"], answered["status"]) == ("POST", "api-study-list", 201)
    read = [line["message"] for line in lines(light, "worker") if line.get("request_id") == NUMBER]
    assert any("diagnosis.tasks.predict" in message for message in read)


def test_the_web_servers_own_lines_have_the_same_format(light: Uploader) -> None:
    (listening,) = [line for line in light.stack.log("web").splitlines() if "Listening at" in line]
    assert json.loads(listening)["logger"] == "gunicorn.error"
