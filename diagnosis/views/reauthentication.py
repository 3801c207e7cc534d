"""Asking a signed-in person for their password again, limited like signing in; for pages and API."""

from axes.helpers import get_client_ip_address
from axes.utils import reset
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.http import HttpRequest

from diagnosis.errors import NotAllowed


class TooManyPasswords(NotAllowed):
    """The account is locked for this address after wrong passwords; signing in is locked with it."""

    http_status = 429


def confirm_password(request: HttpRequest, user: User, password: str) -> None:
    """Return if this is the person's password.

    Raises NotAllowed for a wrong or empty one, which counts towards the lock like a failed sign-in, and
    TooManyPasswords while the account is locked.
    """
    name = user.get_username()
    if not password:
        raise NotAllowed("password_wrong", "Signing needs your password again.")
    confirmed = authenticate(request=request, username=name, password=password)
    if confirmed is not None and confirmed.pk == user.pk:
        reset(username=name, ip=get_client_ip_address(request))
        return
    if getattr(request, "axes_locked_out", False):
        request.axes_locked_out = False  # type: ignore[attr-defined]  # else its middleware answers instead
        message = "Too many wrong passwords. Signing and signing in are locked for a while; try again later."
        raise TooManyPasswords("locked_out", message)
    raise NotAllowed("password_wrong", "The password is wrong. Nothing was signed.")
