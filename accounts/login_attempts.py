"""Attempts to sign in as they come: from which address, for which account, and whether it is let in."""

import ipaddress
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.signals import user_locked_out
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest

from accounts.lockout import account_key, forget, settle, take_place

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


class CountFirstHandler(AxesDatabaseHandler):  # type: ignore[misc]  # the library has no types
    """What axes asks and tells: counted before the password is hashed, see accounts.lockout."""

    def is_allowed(self, request: Any, credentials: dict[str, Any] | None = None) -> bool:
        """Take a place for this attempt; False when the account is locked for this address."""
        return take_place(account=_account(request, credentials), address=request.axes_ip_address)

    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: Any = None, **kwargs: Any
    ) -> None:
        """Turn the attempt under way into a failed one, and lock when it was the last."""
        if request is None:
            return
        account, address = _account(request, credentials), request.axes_ip_address
        if not request.axes_locked_out:
            failures = settle(account=account, address=address, failed=1)
            request.axes_locked_out = failures >= settings.AXES_FAILURE_LIMIT
        if request.axes_locked_out:
            request.axes_credentials = credentials
            user_locked_out.send("axes", request=request, username=account, ip_address=address)

    def user_logged_in(self, sender: Any, request: Any, user: User, **kwargs: Any) -> None:
        """Forget what this account failed at from this address."""
        forget(account=user.get_username(), address=request.axes_ip_address)


def release(request: Any, username: str) -> None:
    """Give back the place of an attempt that was right as far as it went: a code is still to come."""
    settle(account=account_key(username), address=request.axes_ip_address, failed=0)


def _account(request: Any, credentials: dict[str, Any] | None) -> str:
    return account_key(get_client_username(request, credentials) or "")
