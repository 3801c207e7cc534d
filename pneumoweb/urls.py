"""Every address of the site, gathered from the apps."""

from collections.abc import Callable

from django.http import HttpResponseBase
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from accounts.admin_site import admin_site
from core.api.problem import UnknownAddress

handler500 = "core.error_pages.server_error"


def _moved(address: str) -> Callable[..., HttpResponseBase]:
    """Lead people of the administration to the new address of a page."""
    return admin_site.admin_view(RedirectView.as_view(url=address))


api_urls = [
    path("", include("core.api.urls")),
    path("", include("accounts.api.urls")),
    path("", include("diagnosis.api.urls")),
    path("", include("reading.api.urls")),
    path("", include("insight.api.urls")),
    path("", include("operations.api.urls")),
]
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="studies"), name="home"),
    path("", include("accounts.urls")),
    path("", include("diagnosis.api.legacy_urls")),
    path("", include("diagnosis.urls")),
    path("", include("reading.urls")),
    path("", include("insight.urls")),
    path("", include("operations.urls")),
    path("api/v1/", include(api_urls)),
    re_path(r"^api(?:/|$)", UnknownAddress.as_view(), name="api-unknown"),
    # The audit trail was part of the app diagnosis; its address in the administration still leads there.
    path("admin/diagnosis/auditevent/", _moved("/admin/audit/auditevent/")),
    path("admin/diagnosis/auditevent/<path:rest>", _moved("/admin/audit/auditevent/%(rest)s")),
    path("admin/", admin_site.urls),
]
