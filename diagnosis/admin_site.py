"""The administration's site: its title, who may enter, and that everybody signs in at the one front door."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from diagnosis.roles import may_audit


class AdministrationSite(AdminSite):
    """Administrators manage here, auditors look; decided by role, never by the `is_staff` flag alone."""

    site_header = "pneumoweb administration"
    site_title = "pneumoweb administration"
    index_title = "Administration"
    site_url = "/"

    def has_permission(self, request: HttpRequest) -> bool:
        """Let in active administrators, auditors and superusers."""
        return may_audit(request.user)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send visitors to the site's own sign-in page; raises PermissionDenied for the wrong role."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied("Your account has no role in the administration.")
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))


admin_site = AdministrationSite(name="admin")
