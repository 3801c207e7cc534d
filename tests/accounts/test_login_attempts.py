"""Guessing passwords: fifty at once with made-up addresses, whose address counts, and how a lock ends."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts import lockout
from accounts.login_attempts import client_address
from accounts.models import LoginAttempt
from tests.accounts.many_guesses import FRIENDS
from tests.audit.test_concurrency import run
from tests.support.cast import PASSWORD, Cast


def test_of_fifty_guesses_at_once_five_reach_the_hash_and_right_passwords_at_once_all_get_in(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/db.sqlite3"
    run(url, tmp_path / "var", "manage.py", "migrate", "--verbosity", "0")
    told = json.loads(run(url, tmp_path / "var", "-m", "tests.accounts.many_guesses"))
    assert 1 <= told["reached"] <= 5
    assert set(told["guessed"]) <= {200, 429}
    assert told["locked"] == 429
    assert told["right"] == [302] * FRIENDS


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "198.51.100.1", "10.0.0.9"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        (2, "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        (1, "", "10.0.0.9"),
        (1, "nonsense\x00", "10.0.0.9"),
        (1, "2001:db8::1", "2001:db8::1"),
    ],
)
def test_only_our_own_proxies_say_who_comes(
    settings: Any, proxies: int, forwarded: str, address: str
) -> None:
    settings.REST_FRAMEWORK["NUM_PROXIES"] = proxies
    try:
        request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.9", HTTP_X_FORWARDED_FOR=forwarded)
        assert client_address(request) == address
    finally:
        settings.REST_FRAMEWORK["NUM_PROXIES"] = 0


def test_no_typed_name_of_an_unknown_account_is_stored(cast: Cast, client: Client) -> None:
    """It may be a password typed into the wrong field."""
    client.post(reverse("login"), {"username": "my-secret-password", "password": "x"})
    rows = list(LoginAttempt.objects.values())
    assert rows
    assert "my-secret-password" not in str(rows)


def test_the_right_person_clears_what_was_failed_before(cast: Cast, client: Client) -> None:
    for _ in range(3):
        for password in ("wrong", "wrong", "wrong", PASSWORD):
            answer = client.post(reverse("login"), {"username": "alice", "password": password})
        assert answer.status_code == 302
        client.post(reverse("logout"))
    assert not LoginAttempt.objects.exists()


@pytest.fixture
def locked(cast: Cast, client: Client, settings: Any) -> Client:
    """A client whose address is locked for alice, with a right password refused."""
    for _ in range(settings.AXES_FAILURE_LIMIT):
        client.post(reverse("login"), {"username": "alice", "password": "wrong"})
    assert status_with_the_right_password(client) == 429
    return client


def status_with_the_right_password(client: Client) -> int:
    return client.post(reverse("login"), {"username": "alice", "password": PASSWORD}).status_code


def test_a_lock_ends_a_while_after_the_last_wrong_password(locked: Client, settings: Any) -> None:
    cool_off = timedelta(hours=settings.AXES_COOLOFF_TIME)
    LoginAttempt.objects.update(failed_at=timezone.now() - cool_off + timedelta(minutes=1))
    assert status_with_the_right_password(locked) == 429
    LoginAttempt.objects.update(failed_at=timezone.now() - cool_off - timedelta(seconds=1))
    assert status_with_the_right_password(locked) == 302


def test_the_documented_command_lifts_the_lock(locked: Client) -> None:
    call_command("axes_reset_username", "alice", stdout=StringIO())
    assert status_with_the_right_password(locked) == 302


def test_reserved_attempts_of_a_process_that_died_expire(cast: Cast, settings: Any) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT):
        assert lockout.reserve_attempt(account="alice", address="10.0.0.9")
    cool_off = timedelta(hours=settings.AXES_COOLOFF_TIME)
    LoginAttempt.objects.update(reserved_at=timezone.now() - cool_off - timedelta(seconds=1))
    assert lockout.reserve_attempt(account="alice", address="10.0.0.9")
    assert LoginAttempt.objects.get().reserved == 1
