"""Asking a signed-in person for their password again, limited like signing in; for pages and API.

Signing, tokens, and files about many films ask for it. What an API token may do, its scopes say instead.
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
    """This needs a password that was given a moment ago."""


class TooManyPasswords(NotAllowed):
    """The account is locked for this address after wrong passwords; signing in is locked with it."""


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
    """Raise NotRecently where `recently_authenticated` would ask: for programs with a page's session."""
    if not did_recently_reauthenticate(request):
        page = resolve_url("account_reauthenticate")
        message = _("You gave your password too long ago for this. Give it again at {}, or use a token.")
        raise NotRecently("reauthentication_required", message.format(page))


def recently_authenticated(view: View) -> View:
    """Guard a view of signed-in people: whoever gave no password for a while is asked for it, then goes on.

    “A while” is REAUTHENTICATION_MINUTES, counted from signing in or from the last time that the person was
    asked; a code or a passkey does as well. What a form was sent with is kept and sent again afterwards; to
    htmx the whole page is sent away and comes back. Stands below `login_required`.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if did_recently_reauthenticate(request):
            return view(request, *args, **kwargs)
        htmx = getattr(request, "htmx", None)
        if not htmx:
            raise ReauthenticationRequired
        page = htmx.current_url_abs_path or resolve_url("home")
        return HttpResponse(status=204, headers={"HX-Redirect": _asking(page)})

    return guarded


def password_again(request: HttpRequest) -> HttpResponse:
    """Ask for the password, and lead back to this page; what a form was sent with is kept nowhere."""
    return HttpResponseRedirect(_asking(request.get_full_path()))


def _asking(way_back: str) -> str:
    return redirect_to_login(way_back, resolve_url("account_reauthenticate")).url
