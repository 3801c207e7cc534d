"""A real S3 server as a process of its own, for the tests that need one; it can be frozen or killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
import requests

from tests.support.servers.stack import free_port
from tests.support.servers.waiting import wait_until

KEY = {"AWS_ACCESS_KEY_ID": "films", "AWS_SECRET_ACCESS_KEY": "only-for-tests"}


@dataclass
class ObjectStore:
    """A server with one bucket, which it keeps in memory."""

    port: int = field(default_factory=free_port)
    bucket: str = "films"
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """The environment of an installation that keeps its films there."""
        return {"MEDIA": f"s3://{self.bucket}/site", "AWS_S3_ENDPOINT_URL": self.url, **KEY}

    @property
    def client(self) -> Any:
        """A client of the tests' own."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=KEY["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEY["AWS_SECRET_ACCESS_KEY"],
        )

    def names(self) -> list[str]:
        """Return the names of all objects."""
        return [entry["Key"] for entry in self.client.list_objects_v2(Bucket=self.bucket).get("Contents", [])]

    def start(self) -> None:
        """Start it with an empty bucket, and wait until it answers."""
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **KEY}
        self.process = subprocess.Popen(
            command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        wait_until(self._answers, seconds=60, what="the object store")
        self.client.create_bucket(Bucket=self.bucket)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/moto-api/", timeout=2).ok
        except requests.RequestException:
            return False

    def stop(self) -> None:
        """Kill it, and with it everything that it holds."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(timeout=30)
            self.process = None


@pytest.fixture(scope="session")
def object_store_server() -> Iterator[ObjectStore]:
    """One server for all tests of this process."""
    store = ObjectStore()
    store.start()
    yield store
    store.stop()


@pytest.fixture
def object_store(object_store_server: ObjectStore) -> ObjectStore:
    """The server, running and empty."""
    client = object_store_server.client
    for name in object_store_server.names():
        client.delete_object(Bucket=object_store_server.bucket, Key=name)
    return object_store_server
