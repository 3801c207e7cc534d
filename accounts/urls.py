"""Routes of sign-in and sign-out, password, second factor, tokens and preferences."""

from allauth.account.views import ReauthenticateView
from django.contrib.auth.views import LogoutView, PasswordChangeDoneView
from django.urls import include, path

from accounts.views import preferences, tokens
from accounts.views.sign_in import ChangePasswordView, SignInView

# Only part of the routes of django.contrib.auth and allauth: administrators create accounts and reset
# passwords; no e-mail is sent, nobody signs up.
account_urls = [
    path("login/", SignInView.as_view(), name="login"),
    path("login/", SignInView.as_view(), name="account_login"),  # the name that allauth looks for
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password_change/", ChangePasswordView.as_view(), name="password_change"),
    path("password_change/done/", PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("again/", ReauthenticateView.as_view(), name="account_reauthenticate"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/revoke/", tokens.revoke_all, name="tokens-revoke-all"),
    path("tokens/<str:prefix>/revoke/", tokens.revoke, name="token-revoke"),
    path("second-factor/", include("allauth.mfa.urls")),
]

urlpatterns = [
    path("accounts/", include(account_urls)),
    path("preferences/", preferences.preferences, name="preferences"),
    path("preferences/theme/", preferences.theme, name="preferences-theme"),
    path("language/", preferences.language, name="set_language"),
]
