"""Limits wrong passwords and codes per account and address.

An attempt is reserved before it is checked. django-axes itself counts after the check, so that of fifty
attempts at once all would be checked; its backend, middleware and commands are used, its tables are not.
"""

import hashlib
import hmac
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from accounts.models import LoginAttempt

_WAIT_SECONDS, _POLL_SECONDS = 15.0, 0.2


def reserve_attempt(*, account: str, address: str) -> bool:
    """Reserve one attempt and return True, or False when the account is locked for the address.

    AXES_FAILURE_LIMIT attempts are let through. While all of them are reserved, this waits for a moment, so
    that several programs of one person may sign in at once. `account` is an account_key.
    """
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        allowed = _try_to_reserve(account, address)
        if allowed is not None:
            return allowed
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)


@transaction.atomic
def _try_to_reserve(account: str, address: str) -> bool | None:
    """Return True (reserved), False (locked), or None while all attempts are reserved."""
    row = _locked_row(account, address)
    if row.failed >= settings.AXES_FAILURE_LIMIT:
        return False
    if row.failed + row.reserved >= settings.AXES_FAILURE_LIMIT:
        return None
    row.reserved, row.reserved_at = row.reserved + 1, timezone.now()
    row.save()
    return True


@transaction.atomic
def finish_attempt(*, account: str, address: str, failed: bool) -> int:
    """End one reserved attempt, as failed or not; return how many have failed."""
    row = _locked_row(account, address)
    if row.reserved:
        row.reserved, row.reserved_at = row.reserved - 1, timezone.now()
    if failed:
        row.failed, row.failed_at = row.failed + 1, timezone.now()
    row.save()
    if failed:
        LoginAttempt.objects.filter(failed_at__lt=_expired(), reserved_at__lt=_expired()).delete()
    return row.failed


def clear_attempts(*, account: str | None = None, address: str | None = None) -> int:
    """Forget the attempts of the account, from the address; return how many rows were deleted."""
    given = {
        name: value for name, value in {"account": account, "address": address}.items() if value is not None
    }
    return LoginAttempt.objects.filter(**given).delete()[0]


def _locked_row(account: str, address: str) -> LoginAttempt:
    """Return the row, locked until the transaction ends, without what is older than AXES_COOLOFF_TIME."""
    row, _ = LoginAttempt.objects.select_for_update().get_or_create(account=account, address=address)
    if row.failed_at < _expired():
        row.failed = 0
    if row.reserved_at < _expired():
        row.reserved = 0
    return row


def _expired() -> datetime:
    return timezone.now() - timedelta(hours=settings.AXES_COOLOFF_TIME)


def account_key(username: str) -> str:
    """Return the name of a known account; of another one a keyed hash, as it may be a mistyped password."""
    if User.objects.filter(username=username).exists():
        return username
    digest = hmac.new(settings.SECRET_KEY.encode(), username.encode(), hashlib.sha256)
    return f"?{digest.hexdigest()[:40]}"
