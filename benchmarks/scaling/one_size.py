"""One database of one size: filled where it is not yet, asked in this process and through gunicorn."""

from __future__ import annotations

import io
import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from typing import Any

from benchmarks.comparison.machine import p95
from benchmarks.comparison.systems import free_port, wait_for, web_command

METRICS_WORD = "measure"
LEAST_ASKED = 5
WARM_UP_SECONDS = 3


def prepare(count: int) -> None:
    """Migrate, register the shipped model, and fill a database that is empty."""
    from django.core.management import call_command

    from benchmarks.scaling.fill import fill
    from diagnosis.models import Study

    call_command("setup_site", verbosity=0)
    if not Study.objects.exists():
        started = time.monotonic()
        fill(count, some_film(0))
        print(f"filled {count:,} in {time.monotonic() - started:.0f} s", file=sys.stderr)


def some_film(seed: int) -> bytes:
    """A picture like a film, different for each seed, as PNG."""
    import numpy as np
    from PIL import Image

    rows, columns = np.mgrid[0:1:600j, 0:1:720j]
    grey = (
        190 - 40 * rows - 110 * np.exp(-((((columns - 0.3) / 0.17) ** 2 + ((rows - 0.5) / 0.36) ** 2) ** 3))
    )
    grey += np.random.default_rng(seed).normal(0, 4, grey.shape)
    buffer = io.BytesIO()
    Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def questions(repeats: int = 1) -> dict[str, dict[str, Any]]:
    """Ask each page in this process: number of queries, the slowest of them, milliseconds, bytes."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from benchmarks.scaling.fill import people
    from benchmarks.scaling.pages import askers, client_heads, pages

    settings.ALLOWED_HOSTS = ["*"]
    who, found = people(), {}
    wanted = os.environ.get("ONLY", "")
    for page in pages(who):
        if wanted and wanted not in page.name:
            continue
        rows = []
        for number in range(repeats):
            client = Client(headers=client_heads(page, METRICS_WORD))
            person = askers(page, who)[number % len(askers(page, who))]
            client.force_login(person)
            client.get("/preferences/")
            address = page.address()
            started, used = time.perf_counter(), time.process_time()
            with CaptureQueriesContext(connection) as asked:
                answer = client.get(address)
                size = len(answer.content if not answer.streaming else b"".join(answer.streaming_content))
            taken = 1000 * (time.perf_counter() - started)
            if answer.status_code not in (200, 304):
                raise SystemExit(f"{page.name}: {answer.status_code} {answer.content[:300]!r}")
            slowest = max(asked.captured_queries, key=lambda one: float(one["time"]), default=None)
            rows.append((1000 * (time.process_time() - used), taken, len(asked), size, slowest))
        computed, taken, queries, size, slowest = sorted(rows, key=lambda row: row[1])[len(rows) // 2]
        found[page.name] = {"alone_ms": round(taken, 1), "queries": queries, "bytes": size}
        if slowest and (most := int(os.environ.get("SHOW", "0"))):
            times = f"{computed:8.1f} cpu {taken:8.1f} ms {queries:3}"
            print(f"{times} {page.name}: {slowest['time']} {slowest['sql'][:most]}")
        connection.close()
    return found


class Server:
    """The web server as ./run.sh starts it."""

    def __init__(self) -> None:
        self.port = free_port()
        words, variables = web_command(self.port)
        self.process = subprocess.Popen(
            words, env={**os.environ, **variables}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.address = f"http://127.0.0.1:{self.port}"

    def wait(self) -> None:
        """Return once it answers."""
        import requests

        wait_for(lambda: requests.get(f"{self.address}/healthz", timeout=2).ok, "the web server")

    def megabytes(self) -> int:
        """Resident memory of the process that serves."""
        import psutil

        children = psutil.Process(self.process.pid).children()
        return round(max(child.memory_info().rss for child in children) / 2**20)

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(20)


class Crowd:
    """Ten people who open pages, each with a pause of one to three seconds; two send films."""

    def __init__(self, server: Server, seconds: float) -> None:
        from benchmarks.scaling.fill import people
        from benchmarks.scaling.pages import pages

        self.who, self.server, self.seconds = people(), server, seconds
        self.pages = pages(self.who)
        self.taken: dict[str, list[float]] = defaultdict(list)
        self.uploads: list[float] = []
        self.lock = threading.Lock()
        self.wrong: list[str] = []

    def session(self, user: Any) -> Any:
        """A signed-in session of this person, with the token that forms need."""
        import requests
        from django.conf import settings
        from django.test import Client

        client = Client()
        client.force_login(user)
        session = requests.Session()
        session.cookies.set(settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value)
        return session

    def run(self) -> None:
        """Let them all work for the time."""
        people = self.who.all
        threads = []
        for number, user in enumerate(people):
            threads.append(threading.Thread(target=self._work, args=(number, user, self.session(user))))
        for user in self.who.uploaders:
            threads.append(threading.Thread(target=self._send, args=(self.token(user),)))
        self.begun = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def token(self, user: Any) -> str:
        """A new API token of this person."""
        from accounts.tokens import make_token

        return make_token(actor=user, name="benchmark").secret

    def _work(self, number: int, user: Any, session: Any) -> None:
        from benchmarks.scaling.pages import askers, client_heads

        chance = random.Random(number)
        mine = [page for page in self.pages if user in askers(page, self.who)]
        chance.shuffle(mine)
        turn = 0
        while time.monotonic() - self.begun < self.seconds:
            page = mine[turn % len(mine)]
            turn += 1
            started = time.perf_counter()
            answer = session.get(
                self.server.address + page.address(), headers=client_heads(page, METRICS_WORD), timeout=60
            )
            taken = time.perf_counter() - started
            with self.lock:
                if time.monotonic() - self.begun > WARM_UP_SECONDS:
                    self.taken[page.name].append(taken)
                if answer.status_code != 200:
                    self.wrong.append(f"{page.name}: {answer.status_code}")
            time.sleep(chance.uniform(1.0, 3.0))

    def _send(self, token: str) -> None:
        import requests

        session = requests.Session()
        session.headers["Authorization"] = f"Token {token}"
        while time.monotonic() - self.begun < self.seconds:
            film = some_film(random.randrange(2**31))
            started = time.perf_counter()
            answer = session.post(
                f"{self.server.address}/api/v1/studies/",
                files={"file": ("film.png", film)},
                data={"project": "cohort-0"},
                timeout=60,
            )
            with self.lock:
                if answer.status_code == 201:
                    self.uploads.append(time.perf_counter() - started)
                else:
                    self.wrong.append(f"upload: {answer.status_code} {answer.text[:200]}")
            time.sleep(random.uniform(1.5, 2.5))


def _summary(seconds: list[float]) -> dict[str, float | int]:
    return {
        "n": len(seconds),
        "p50_ms": round(1000 * statistics.median(seconds), 1),
        "p95_ms": round(1000 * p95(seconds), 1),
    }


def measure(seconds: float) -> dict[str, Any]:
    """Ask as ten people at once, through gunicorn; return the times of each page, and of uploads."""
    asked = questions(repeats=3)
    server = Server()
    try:
        server.wait()
        crowd = Crowd(server, seconds)
        crowd.run()
        memory = server.megabytes()
        exported = _export(server, crowd) if os.environ.get("EXPORT") else {}
    finally:
        server.stop()
    if crowd.wrong:
        raise SystemExit("; ".join(crowd.wrong[:5]))
    pages = {name: {**_summary(taken), **asked[name]} for name, taken in crowd.taken.items()}
    every = [value for taken in crowd.taken.values() for value in taken]
    return {
        "pages": dict(sorted(pages.items())),
        "all_pages": _summary(every),
        "upload": _summary(crowd.uploads) if crowd.uploads else {},
        "web_process_mib": memory,
        **exported,
    }


def _export(server: Server, crowd: Crowd) -> dict[str, Any]:
    from benchmarks.scaling.export import measure_export

    token = crowd.token(crowd.who.auditor)
    return {"export": measure_export(server.address, token, server.megabytes)}


def main() -> None:
    """The child of benchmarks/million.py: its environment names the database."""
    import django

    django.setup()
    count, seconds = int(sys.argv[1]), float(sys.argv[2])
    prepare(count)
    load = os.getloadavg()[0]
    answer = measure(seconds) if seconds else {"pages": questions(int(os.environ.get("REPEATS", "3")))}
    print(json.dumps({"studies": count, "load_before": round(load, 2), **answer}))


if __name__ == "__main__":
    main()
