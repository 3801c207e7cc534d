"""The id of an upload request is in the log lines of the web server and of the worker."""

import json
from typing import Any

import pytest

from tests.reliability.helpers.uploader import Uploader

pytestmark = pytest.mark.worker
REQUEST_ID = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"


def lines(uploader: Uploader, process: str) -> list[dict[str, Any]]:
    """Return the process's log lines that are JSON; Celery's start-up message is not."""
    return [json.loads(line) for line in uploader.stack.log(process).splitlines() if line.startswith("{")]


def test_an_uploads_request_id_is_in_the_logs_of_web_server_and_worker(light: Uploader) -> None:
    assert light.try_upload(REQUEST_ID)[0] == 201
    light.wait_until_all_are_through(seconds=60)
    (answered,) = [line for line in lines(light, "web") if line.get("request_id") == REQUEST_ID]
    assert (answered["method"], answered["route"], answered["status"]) == ("POST", "api-study-list", 201)
    messages = [line["message"] for line in lines(light, "worker") if line.get("request_id") == REQUEST_ID]
    assert any("diagnosis.tasks.predict" in message for message in messages)


def test_the_web_servers_own_lines_have_the_same_format(light: Uploader) -> None:
    (listening,) = [line for line in light.stack.log("web").splitlines() if "Listening at" in line]
    assert json.loads(listening)["logger"] == "gunicorn.error"
