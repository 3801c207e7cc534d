"""A program of its own: fifty wrong passwords at once with made-up addresses, then ten right ones at once.

Run by test_login_attempts.py in a process of its own, on the given database. Prints one JSON object.
"""

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Lock
from typing import Any

import django

GUESSES, FRIENDS = 50, 10
checked: list[str] = []
_lock = Lock()


def count_checks() -> None:
    """Note every password that reaches Argon2."""
    from django.contrib.auth.hashers import Argon2PasswordHasher

    verify = Argon2PasswordHasher.verify

    def counted(self: Any, password: str, encoded: str) -> bool:
        with _lock:
            checked.append(password)
        return bool(verify(self, password, encoded))

    Argon2PasswordHasher.verify = counted  # type: ignore[method-assign]  # the test looks, nothing else changes


def at_once(count: int, work: Callable[[int], int]) -> list[int]:
    """Let `count` threads begin at the same moment."""
    from django.db import connection

    barrier = Barrier(count)

    def one(number: int) -> int:
        barrier.wait(timeout=60)
        try:
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def attempt(username: str, password: str, number: int) -> int:
    """Sign in by the page, pretending to come from somewhere else; return the status."""
    from django.test import Client

    form = {"username": username, "password": password}
    return int(
        Client().post("/accounts/login/", form, HTTP_X_FORWARDED_FOR=f"198.51.100.{number}").status_code
    )


def main() -> None:
    """Do both, and tell."""
    django.setup()
    from django.conf import settings
    from django.contrib.auth.models import User

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    for name in ("alice", "rania"):
        User.objects.create_user(name, password="correct horse battery")
    count_checks()
    guessed = at_once(GUESSES, lambda number: attempt("alice", f"guess {number}", number))
    reached = len(checked)
    right = at_once(FRIENDS, lambda number: attempt("rania", "correct horse battery", number))
    locked = attempt("alice", "correct horse battery", 99)
    json.dump(
        {"reached": reached, "guessed": sorted(set(guessed)), "right": right, "locked": locked}, sys.stdout
    )


if __name__ == "__main__":
    main()
