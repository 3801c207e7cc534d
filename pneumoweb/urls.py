"""Every address of the site: which door stands where."""

from django.contrib.auth.views import LoginView, LogoutView, PasswordChangeDoneView, PasswordChangeView
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from diagnosis.admin_site import admin_site
from diagnosis.api.problem import UnknownAddress

# Not django.contrib.auth.urls as a whole: an administrator sets a forgotten password, no e-mail is sent.
account_urls = [
    path("login/", LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password_change/", PasswordChangeView.as_view(), name="password_change"),
    path("password_change/done/", PasswordChangeDoneView.as_view(), name="password_change_done"),
]
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="studies"), name="home"),
    path("accounts/", include(account_urls)),
    path("", include("diagnosis.api.seed_urls")),
    path("", include("diagnosis.urls")),
    path("", include("reading.urls")),
    path("", include("insight.urls")),
    path("api/v1/", include("diagnosis.api.urls")),
    path("api/v1/", include("reading.api.urls")),
    re_path(r"^api(?:/|$)", UnknownAddress.as_view(), name="api-unknown"),
    path("admin/", admin_site.urls),
]
