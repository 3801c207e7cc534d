"""Guards the administration: besides a role, the session must have proved a second factor."""

from functools import wraps

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.allauth_seam import get_authentication_records
from accounts.second_factor import has_second_factor
from core.web import View


def proved_second_factor(request: HttpRequest) -> bool:
    """Return whether this session proved a second factor: at sign-in, later, or by setting one up."""
    user = request.user
    if not isinstance(user, User):
        return False
    records = get_authentication_records(request, user)
    return any(record.get("method") == "mfa" for record in records) and has_second_factor(user)


def opens_administration(request: HttpRequest) -> bool:
    """Return whether this session may open the administration, roles apart."""
    return not settings.ADMIN_SECOND_FACTOR or proved_second_factor(request)


def to_second_factor(request: HttpRequest, wanted: str) -> HttpResponseRedirect:
    """Redirect to the page that sets up or asks for a second factor, and from there to `wanted`."""
    if opens_administration(request) or not url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return HttpResponseRedirect(reverse("admin:index"))
    page = "mfa_reauthenticate" if has_second_factor(request.user) else "mfa_index"
    return redirect_to_login(wanted, reverse(page))


def require_second_factor(view: View) -> View:
    """Guard a view like Django's administration; goes below `login_required`."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if opens_administration(request):
            return view(request, *args, **kwargs)
        return to_second_factor(request, request.get_full_path())

    return guarded
