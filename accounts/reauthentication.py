"""Asks a signed-in person for their password again, limited like sign-in; for pages and the API.

Needed for signing, tokens, and files about many films. API tokens have scopes instead.
"""

from collections.abc import Callable
from functools import wraps

from allauth.core.exceptions import ReauthenticationRequired
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.translation import gettext as _

from accounts.allauth_seam import did_recently_reauthenticate
from accounts.lockout import clear_attempts
from accounts.login_attempts import client_address
from core.errors import NotAllowed

View = Callable[..., HttpResponseBase]


class NotRecently(NotAllowed):
    """The password was given too long ago."""


class TooManyPasswords(NotAllowed):
    """After wrong passwords, signing and signing in are locked for this account and address."""


def confirm_password(request: HttpRequest, user: User, password: str) -> None:
    """Return if this is the person's password.

    Raises NotAllowed for a wrong or empty one, which counts towards the lock like a failed sign-in, and
    TooManyPasswords while the account is locked.
    """
    name = user.get_username()
    if not password:
        raise NotAllowed("password_wrong", _("Signing needs your password again."))
    confirmed = authenticate(request=request, username=name, password=password)
    if confirmed is not None and confirmed.pk == user.pk:
        clear_attempts(account=name, address=client_address(request))
        return
    if getattr(request, "axes_locked_out", False):
        request.axes_locked_out = False  # type: ignore[attr-defined]  # else its middleware answers instead
        message = _(
            "Too many wrong passwords. Signing and signing in are locked for a while; try again later."
        )
        raise TooManyPasswords("locked_out", message)
    raise NotAllowed("password_wrong", _("The password is wrong. Nothing was signed."))


def check_recently_authenticated(request: HttpRequest) -> None:
    """Raise NotRecently where `recently_authenticated` would ask; for API requests with a page's session."""
    if not did_recently_reauthenticate(request):
        page = resolve_url("account_reauthenticate")
        message = _("You gave your password too long ago for this. Give it again at {}, or use a token.")
        raise NotRecently("reauthentication_required", message.format(page))


def recently_authenticated(view: View) -> View:
    """Guard a view: whoever gave no password for a while is asked for it first.

    “A while” is REAUTHENTICATION_MINUTES since sign-in or the last confirmation; a code or a passkey counts
    too. A form's data is kept and sent again afterwards; for htmx the whole page is redirected and comes
    back. Goes below `login_required`.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if did_recently_reauthenticate(request):
            return view(request, *args, **kwargs)
        htmx = getattr(request, "htmx", None)
        if not htmx:
            raise ReauthenticationRequired
        page = htmx.current_url_abs_path or resolve_url("home")
        return HttpResponse(status=204, headers={"HX-Redirect": _reauthentication_url(page)})

    return guarded


def password_again(request: HttpRequest) -> HttpResponse:
    """Ask for the password and return to this page; a form's data is not kept."""
    return HttpResponseRedirect(_reauthentication_url(request.get_full_path()))


def _reauthentication_url(next_page: str) -> str:
    return redirect_to_login(next_page, resolve_url("account_reauthenticate")).url
