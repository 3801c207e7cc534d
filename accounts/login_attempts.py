"""Connects the lockout to sign-in: the client's address, the handler of axes, and releasing an attempt."""

import ipaddress
from typing import Any

from axes.handlers.base import AxesHandler
from axes.helpers import get_client_username
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest

from accounts.lockout import account_key, clear_attempts, finish_attempt, reserve_attempt

_NOBODY = "0:0:0:0:0:0:0:0"


def client_address(request: HttpRequest) -> str:
    """Return the visitor's address; of X-Forwarded-For only what NUM_PROXIES proxies of our own added."""
    proxies = settings.REST_FRAMEWORK["NUM_PROXIES"]
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    given = forwarded[-min(proxies, len(forwarded))] if proxies else ""
    for text in (given, request.META.get("REMOTE_ADDR", "")):
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            continue
    return _NOBODY


class CountFirstHandler(AxesHandler):  # type: ignore[misc]  # the library has no types
    """Answers axes from accounts.lockout, which counts before the password is hashed."""

    def is_allowed(self, request: Any, credentials: dict[str, Any] | None = None) -> bool:
        """Reserve this attempt; False when the account is locked for this address."""
        return reserve_attempt(account=_account(request, credentials), address=request.axes_ip_address)

    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: Any = None, **kwargs: Any
    ) -> None:
        """Count the reserved attempt as failed, and lock when it was the last."""
        if request is None:
            return
        account, address = _account(request, credentials), request.axes_ip_address
        if not request.axes_locked_out:
            failures = finish_attempt(account=account, address=address, failed=True)
            request.axes_locked_out = failures >= settings.AXES_FAILURE_LIMIT
        if request.axes_locked_out:
            request.axes_credentials = credentials

    def user_logged_in(self, sender: Any, request: Any, user: User, **kwargs: Any) -> None:
        """Forget the failed attempts of this account from this address."""
        clear_attempts(account=user.get_username(), address=request.axes_ip_address)

    def reset_attempts(
        self, *, ip_address: str | None = None, username: str | None = None, ip_or_username: bool = False
    ) -> int:
        """Do what the commands `axes_reset…` ask for; return how many rows were deleted."""
        if ip_or_username and ip_address and username:
            return clear_attempts(address=ip_address) + clear_attempts(account=username)
        return clear_attempts(account=username, address=ip_address)

    def post_save_access_attempt(self, instance: Any, **kwargs: Any) -> None:
        """Ignore rows of axes's own table, which only the restore of an older backup writes."""

    def post_delete_access_attempt(self, instance: Any, **kwargs: Any) -> None:
        """Likewise."""


def release_attempt(request: Any, username: str) -> None:
    """End an attempt that was right so far without counting it as failed: a code is still to come."""
    finish_attempt(account=account_key(username), address=request.axes_ip_address, failed=False)


def _account(request: Any, credentials: dict[str, Any] | None) -> str:
    return account_key(get_client_username(request, credentials) or "")
