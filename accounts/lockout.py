"""How often a password or a code may be tried: counted before it is checked, so that none slips by.

The rows are those of axes, whose own way counts after the check: fifty attempts at once would all be checked.
"""

import hashlib
import hmac
import time
from datetime import datetime, timedelta
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone

# Two rows for each account and address, told apart by the column that axes has for the browser's name.
_FAILED, _UNDER_WAY = "failed", "under way"
_WAIT_SECONDS, _ASK_AGAIN_SECONDS = 15.0, 0.2


def take_place(*, account: str, address: str) -> bool:
    """Count one attempt as under way and return True, or False when the account is locked for the address.

    AXES_FAILURE_LIMIT attempts are let through. Who finds all places taken by attempts under way waits for
    them a moment, so that several programs of one person may sign in at once. `account` is an account_key.
    """
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        allowed = _try_to_take_place(account, address)
        if allowed is not None:
            return allowed
        if time.monotonic() > deadline:
            return False
        time.sleep(_ASK_AGAIN_SECONDS)


@transaction.atomic
def _try_to_take_place(account: str, address: str) -> bool | None:
    """Return True (taken), False (locked), or None while all places are under way."""
    AccessAttempt.objects.filter(username=account, attempt_time__lt=_long_ago()).delete()
    failed = _locked_row(account, address, _FAILED)
    under_way = _locked_row(account, address, _UNDER_WAY)
    if failed.failures_since_start >= settings.AXES_FAILURE_LIMIT:
        return False
    if failed.failures_since_start + under_way.failures_since_start >= settings.AXES_FAILURE_LIMIT:
        return None
    _add(under_way, 1)
    return True


@transaction.atomic
def settle(*, account: str, address: str, failed: int) -> int:
    """End one attempt under way, as failed or not; return how many have failed."""
    row = _locked_row(account, address, _FAILED)
    under_way = _locked_row(account, address, _UNDER_WAY)
    if under_way.failures_since_start:
        _add(under_way, -1)
    if failed:
        _add(row, failed)
        AccessAttempt.objects.filter(attempt_time__lt=_long_ago()).delete()  # everybody's, now and then
    return int(row.failures_since_start) + failed


def forget(*, account: str, address: str) -> None:
    """Forget what the account failed at from the address: the right person has come in."""
    AccessAttempt.objects.filter(username=account, ip_address=address).delete()


def _locked_row(account: str, address: str, kind: str) -> Any:
    row, _ = AccessAttempt.objects.select_for_update().get_or_create(
        username=account,
        ip_address=address,
        user_agent=kind,
        defaults={"failures_since_start": 0, "attempt_time": timezone.now()},
    )
    return row


def _add(row: Any, number: int) -> None:
    AccessAttempt.objects.filter(pk=row.pk).update(
        failures_since_start=F("failures_since_start") + number, attempt_time=timezone.now()
    )


def _long_ago() -> datetime:
    return timezone.now() - timedelta(hours=settings.AXES_COOLOFF_TIME)


def account_key(username: str) -> str:
    """Return the name of a known account; of another one a keyed hash, as it may be a mistyped password."""
    if User.objects.filter(username=username).exists():
        return username
    digest = hmac.new(settings.SECRET_KEY.encode(), username.encode(), hashlib.sha256)
    return f"?{digest.hexdigest()[:40]}"
