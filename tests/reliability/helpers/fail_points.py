"""A program: uploads whose process ends, as by SIGKILL, before every single step of storing the film.

A step is what reaches the disk, the database or the broker: folders and files created or removed, flushes,
writing statements, each COMMIT, the message. A first upload counts them; each further upload ends before
another one of them. A test runs it with 1 for every step or 3 for each third; it prints one JSON object.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

KILLED = 137


class Steps:
    """Counts the steps of one upload, and ends the process just before the step number `end_before`."""

    def __init__(self, end_before: int = 0) -> None:
        self.end_before = end_before
        self.names: list[str] = []

    def step(self, name: str) -> None:
        """Count one more step; the process ends before the last one."""
        self.names.append(name)
        if len(self.names) == self.end_before:
            os._exit(KILLED)

    def watch(self, owner: Any, attribute: str, name: str) -> None:
        """Count each call of this function as a step."""
        act = getattr(owner, attribute)

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.step(name)
            return act(*args, **kwargs)

        setattr(owner, attribute, counted)

    def watch_everything(self) -> None:
        """Watch what an upload does to disk, database and broker."""
        from django.db import connection
        from django.db.backends.sqlite3.base import DatabaseWrapper

        from diagnosis.inference import dispatch

        for name in ("mkdir", "rmdir", "fsync", "unlink"):
            self.watch(os, name, name)
        self.watch(os, "open", "open")
        self.watch(DatabaseWrapper, "_commit", "COMMIT")
        self.watch(dispatch, "_send", "send")
        connection.ensure_connection()
        connection.execute_wrappers.append(self._watch_statement)

    def _watch_statement(self, execute: Callable[..., Any], sql: str, *others: Any) -> Any:
        if sql.startswith(("INSERT", "UPDATE", "DELETE")):
            self.step(sql.partition(" (")[0].partition(" SET")[0])
        return execute(sql, *others)


def upload(seed: int, token: str) -> int:
    """Upload one film through the API in this process; return the answer's status."""
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.test import Client

    from tests.support.inputs.films import chest_png

    film = SimpleUploadedFile("film.png", chest_png(seed=seed), "image/png")
    answer = Client().post(
        "/api/v1/studies/", {"file": film}, headers={"Authorization": f"Token {token}", "Host": "localhost"}
    )
    return answer.status_code


def upload_and_end(seed: int, token: str, end_before: int) -> list[str] | None:
    """Upload in a child that ends before that step; return the steps of a child that finished."""
    from django.db import connections

    connections.close_all()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        steps = Steps(end_before)
        steps.watch_everything()
        status = upload(seed, token)
        os.write(write, json.dumps([status, steps.names]).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        answer = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if not answer:
        assert code == KILLED, code
        return None
    status, names = json.loads(answer)
    assert status == 201, status
    found: list[str] = names
    return found


def make_entries_old() -> None:
    """Set back the time of the journal's entries, so that they count as forgotten."""
    from django.conf import settings

    long_ago = time.time() - settings.INCOMING_FORGOTTEN_AFTER_SECONDS - 1
    for entry in (Path(settings.MEDIA_ROOT) / "incoming").glob("*"):
        os.utime(entry, (long_ago, long_ago))


def faults_after(seed: int, token: str) -> list[str]:
    """Check what the killed upload left, reconcile, send the film again; return the faults."""
    import hashlib

    from audit.models import AuditEvent
    from diagnosis.models import Prediction, Study
    from diagnosis.storage.journal import pending, remove_leftovers
    from diagnosis.storage.verification import check_storage
    from tests.support.inputs.films import chest_png

    found = []
    at_once = check_storage()
    if at_once.missing or at_once.changed or at_once.without_row:
        found.append(f"at once: {at_once}")
    make_entries_old()
    remove_leftovers()
    later = check_storage()
    if not later.is_whole or pending():  # entered files count as being written
        found.append(f"after the reconciler: {later}")
    if upload(seed, token) not in (200, 201):
        found.append("the film could not be sent again")
    studies = Study.objects.filter(sha256=hashlib.sha256(chest_png(seed=seed)).hexdigest())
    events = AuditEvent.objects.filter(
        verb="study_uploaded", object_id__in=[str(uid) for uid in studies.values_list("uid", flat=True)]
    )
    counts = (studies.count(), Prediction.objects.filter(study__in=studies).count(), events.count())
    if counts != (1, 1, 1):
        found.append(f"studies, predictions, events: {counts}")
    return found


def main() -> None:
    """End an upload before each of its steps and report the faults."""
    django.setup()
    from diagnosis.intake import decode
    from pneumoml.decoding.images import decode_film

    # In this process: a decoder server would cost each of the children half a second.
    decode.decode_isolated = decode_film  # type: ignore[assignment]
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from knox.models import get_token_model

    call_command("register_model", "--shipped", "--activate", stdout=sys.stderr)
    _row, token = get_token_model().objects.create(User.objects.create_superuser("adam"))
    upload_and_end(0, token, 0)  # the first upload creates folders that stay
    names = upload_and_end(1, token, 0)
    assert names is not None
    faults: dict[str, list[str]] = {}
    every = int(sys.argv[1])
    for number in range(1, len(names) + 1, every):
        seed = 1 + number
        ended = upload_and_end(seed, token, number)
        # The folder of the film's first two digits may be there already: a step fewer.
        assert ended is None or number > len(ended)
        if found := faults_after(seed, token):
            faults[f"before step {number}, {names[number - 1]}"] = found
    sys.stdout.write(json.dumps({"steps": names, "faults": faults}))


if __name__ == "__main__":
    main()
