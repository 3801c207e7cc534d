"""A client that uploads films to a running stack and checks what becomes of them."""

import time
from dataclasses import dataclass, field

import requests

from tests.support.inputs.films import chest_png
from tests.support.servers.stack import ADMIN, ADMIN_PASSWORD, Stack
from tests.support.servers.waiting import wait_until


@dataclass
class Uploader:
    """Uploads through the API; `seconds` holds how long each upload took to be answered."""

    stack: Stack
    headers: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    sent: int = 0

    def sign_in(self) -> None:
        """Get a token."""
        body = {"username": ADMIN, "password": ADMIN_PASSWORD}
        answer = requests.post(f"{self.stack.url}/api/v1/auth/login/", json=body, timeout=60)
        self.headers = {"Authorization": f"Token {answer.json()['token']}"}

    def upload(self, **fields: str) -> None:
        """Upload one new film; anything but a 201 fails the test."""
        status, text = self.try_upload(**fields)
        assert status == 201, text

    def try_upload(self, request_id: str = "", **fields: str) -> tuple[int, str]:
        """Upload one new film; return status and text of the answer."""
        film, self.sent = chest_png(seed=self.sent), self.sent + 1
        started = time.monotonic()
        answer = requests.post(
            f"{self.stack.url}/api/v1/studies/",
            files={"file": ("film.png", film, "image/png")},
            data=fields,
            headers={**self.headers, "X-Request-ID": request_id},
            timeout=60,
        )
        self.seconds.append(time.monotonic() - started)
        return answer.status_code, answer.text

    def statuses(self) -> list[str]:
        """Return every prediction's status from the database."""
        return [
            status for (status,) in self.stack.query("select status from diagnosis_prediction order by id")
        ]

    def unfinished(self) -> int:
        """Count the films that are queued or being analysed."""
        return sum(status in ("queued", "running") for status in self.statuses())

    def finished(self) -> int:
        """Count the finished films."""
        return len(self.statuses()) - self.unfinished()

    def oldest_wait(self) -> float:
        """Return how many seconds the longest waiting film has waited, according to /health."""
        health = requests.get(f"{self.stack.url}/health", timeout=20).json()
        return float(health["queue_oldest_seconds"])

    def wait_until_one_is_read(self, seconds: float = 120) -> None:
        """Return while the worker analyses a film."""
        wait_until(lambda: "running" in self.statuses(), seconds=seconds, what="a film that is analysed")

    def wait_until_more_are_through(self, than: int) -> None:
        """Return when more films than these are through: a worker has loaded its model and works."""
        wait_until(lambda: self.finished() > than, seconds=180, what="a first result")

    def wait_until_all_are_through(self, seconds: float) -> None:
        """Return when every film is finished."""
        wait_until(lambda: not self.unfinished(), seconds=seconds, what="the end of the queue", every=0.2)

    def results(self) -> list[int]:
        """Return, for every film, the number of results in the audit trail: 1 each when nothing was lost."""
        found = self.stack.query(
            "select count(event.seq) from diagnosis_prediction prediction "
            "left join diagnosis_auditevent event on event.verb = 'prediction_succeeded' "
            f"and event.object_id = {self._uid_as_text()} group by prediction.id order by prediction.id"
        )
        return [count for (count,) in found]

    def _uid_as_text(self) -> str:
        """Return SQL for the UUID with dashes, which SQLite stores without."""
        if "DATABASE_URL" in self.stack.settings:
            return "prediction.uid::text"
        cuts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        return "||'-'||".join(f"substr(prediction.uid,{start},{length})" for start, length in cuts)
