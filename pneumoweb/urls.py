"""Every address of the site: which door stands where."""

from django.urls import include, path, re_path
from django.views.generic import RedirectView

from diagnosis.admin_site import admin_site
from diagnosis.api.problem import UnknownAddress
from diagnosis.views.metrics import metrics

handler500 = "diagnosis.views.server_error.server_error"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="studies"), name="home"),
    path("accounts/", include("pneumoweb.account_urls")),
    path("", include("diagnosis.api.seed_urls")),
    path("metrics", metrics, name="metrics"),
    path("", include("diagnosis.urls")),
    path("", include("reading.urls")),
    path("", include("insight.urls")),
    path("api/v1/", include("diagnosis.api.urls")),
    path("api/v1/", include("reading.api.urls")),
    path("api/v1/", include("insight.api.urls")),
    re_path(r"^api(?:/|$)", UnknownAddress.as_view(), name="api-unknown"),
    path("admin/", admin_site.urls),
]
