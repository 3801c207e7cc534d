"""Collects everything that people and programs see of the installation that the environment names.

    python -m tests.upgrade.collect FOLDER PART…    writes each answer of these PARTS as a file

The installation is migrated first. All answers are of one moment, and what a request changes is rolled back.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django
import time_machine
from django.core.management import call_command

from tests.upgrade import past
from tests.upgrade.described import as_json, body_of, described, drawn, headers_of, without_version
from tests.upgrade.installation import ROOT

Answers = Iterator[tuple[str, bytes]]
_FILES = re.compile(r"/files/|\.(pdf|zip|xlsx)")


# --- What the program says about itself ------------------------------------------------------------------


def itself() -> Answers:
    """Yield addresses, settings, commands, tasks, metrics and the API's schema."""
    from django.conf import settings

    from tests.support.routes import all_routes

    routes = [f"/{route.pattern}  {route.name}" for route in all_routes()]
    for name, in_admin in (("urls", False), ("urls-of-the-administration", True)):
        chosen = sorted(route for route in routes if route.startswith("/admin/") is in_admin)
        yield f"itself/{name}.txt", "\n".join([*chosen, ""]).encode()
    listed = (ROOT / ".env.example").read_text(encoding="utf-8")
    names = re.findall(r"^(?:# )?([A-Z][A-Z_0-9]*)=", listed, flags=re.MULTILINE)
    yield "itself/environment.txt", "\n".join([*sorted(names), ""]).encode()
    yield from _commands()
    clock = settings.CELERY_BEAT_SCHEDULE.values()
    yield (
        "itself/tasks.json",
        as_json({"known": _tasks(), "clock": sorted(each["task"] for each in clock)}).encode(),
    )
    answer = _client().get("/api/v1/schema/", headers={"accept": "application/vnd.oai.openapi+json"})
    yield "itself/openapi.json", without_version(as_json(json.loads(body_of(answer))))
    yield "itself/metrics.txt", "\n".join([*_metrics(), ""]).encode()


def _commands() -> Answers:
    from django.apps import apps
    from django.core.management import get_commands, load_command_class

    own = {app.name for app in apps.get_app_configs() if Path(app.path).parent == ROOT}
    for name, app in sorted(get_commands().items()):
        if app in own:
            text = load_command_class(app, name).create_parser("manage.py", name).format_help()
            yield f"itself/commands/{name}.txt", without_version(text.replace(str(ROOT), "ROOT"))


def _tasks() -> list[str]:
    from celery import current_app

    current_app.loader.import_default_modules()
    return sorted(name for name in current_app.tasks if not name.startswith("celery."))


def _metrics() -> list[str]:
    """Return names, types and labels of all metrics; their values depend on the moment and the machine."""
    answer = _client().get("/metrics", headers={"authorization": "Bearer look"})
    lines = body_of(answer).decode().splitlines()
    return [line if line.startswith("#") else line.rpartition(" ")[0] for line in lines]


# --- What it answers ----------------------------------------------------------------------------------


def _client(name: str = "") -> Any:
    """Return an anonymous client, or one that has just signed in by the page."""
    from django.test import Client

    client = Client(SERVER_NAME="localhost", raise_request_exception=False)
    if name:
        given = {"username": name, "password": past.PASSWORD}
        assert client.post("/accounts/login/", given).status_code == 302
    return client


def _undone(ask: Callable[[], tuple[Any, tuple[str, bytes]]]) -> tuple[Any, tuple[str, bytes]]:
    from django.core.cache import cache
    from django.db import transaction

    cache.clear()
    with transaction.atomic():
        found = ask()
        transaction.set_rollback(True)
    return found


def _asked(client: Any, named: dict[str, str], folder: str) -> Answers:
    """Request each address: each body is a file of its own, all statuses and headers are one file."""
    from tests.upgrade.addresses import DRAWN

    headers: dict[str, Any] = {}
    for name, address in named.items():

        def ask(address: str = address) -> tuple[Any, tuple[str, bytes]]:
            response = client.get(address)
            return headers_of(response), described(response)

        headers[name], (extension, body) = _undone(ask)
        if DRAWN.search(address) and extension == ".json" and b'"sha256"' in body:
            body = drawn(body)
        if extension:
            yield f"{folder}/{name}{extension}", body
    yield f"{folder}/said.json", as_json(_without_common(headers)).encode()


def _without_common(headers: dict[str, Any]) -> dict[str, Any]:
    """Return the headers that most answers share once, and of each answer what differs."""
    lines = [json.dumps(pair) for each in headers.values() for pair in each.items()]
    common = dict(json.loads(line) for line in sorted(set(lines)) if 2 * lines.count(line) > len(headers))
    others = {
        name: {
            **{header: value for header, value in each.items() if common.get(header) != value},
            **{header: None for header in common if header not in each},
        }
        for name, each in headers.items()
    }
    return {"most say": common, "besides": others}


def pages() -> Answers:
    """Request every address but the API's as an administrator who has every role."""
    yield from _asked(_client("admin"), _named("/api/", wanted=False), "pages")


def api() -> Answers:
    """Request the API's addresses as the same person, and send it things."""
    from tests.upgrade.posts import posts, told

    client = _client("admin")
    yield from _asked(client, _named("/api/", wanted=True), "api")
    client = _client("head")
    answers: dict[str, Any] = {}
    for name, send in posts().items():

        def ask(send: Callable[[Any], Any] = send) -> tuple[Any, tuple[str, bytes]]:
            return told(send(client)), ("", b"")

        answers[name] = _undone(ask)[0]
    yield "api/sent.json", as_json(answers).encode()


def reader() -> Answers:
    """Request what may differ for a reader, from whom one project hides results and opinions."""
    from tests.upgrade.addresses import FOR_READERS

    every = {**_named("/api/", wanted=False), **_named("/api/", wanted=True)}
    chosen = {name: address for name, address in every.items() if FOR_READERS.match(address)}
    texts = {name: address for name, address in chosen.items() if not _FILES.search(address)}
    yield from _asked(_client("paediatrician"), texts, "reader")


def administration() -> Answers:
    """Request the administration's pages."""
    from tests.upgrade.addresses import admin_addresses

    yield from _asked(_client("admin"), admin_addresses(), "administration")


def _named(beginning: str, *, wanted: bool) -> dict[str, str]:
    """Return the addresses by file names, which show films by their subject codes."""
    from tests.upgrade.addresses import addresses, table

    codes = {
        str(uid): code or f"film-{pk}"
        for pk, uid, code in table("diagnosis_study").values_list("pk", "uid", "subject_code")
    }
    found = {}
    for address in addresses():
        if address.startswith(beginning) is not wanted:
            continue
        name = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", lambda uid: codes.get(uid[0], uid[0][:8]), address)
        found[re.sub(r"[^\w.-]+", "-", name).strip("-") or "home"] = address
    return found


PARTS: dict[str, Callable[[], Answers]] = {
    "itself": itself,
    "pages": pages,
    "api": api,
    "reader": reader,
    "administration": administration,
}


def _rolled_back(part: str) -> Answers:
    """Yield the answers of a part, then roll back its sign-ins, which the audit trail records."""
    from django.db import transaction

    with transaction.atomic():
        yield from PARTS[part]()
        transaction.set_rollback(True)


def main(folder: Path, parts: list[str]) -> None:
    """Write the answers below `folder` and print how many there are."""
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    written = 0
    with time_machine.travel(past.LOOKED_AT, tick=False):
        for name, content in (answer for part in parts for answer in _rolled_back(part)):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            written += 1
    print(json.dumps(written))  # noqa: T201 - for who started this


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
