"""Routes below /api/v1/auth/."""

from django.urls import path

from accounts.api.auth import LoginView, LogoutAllView, LogoutView, TokensView, TokenView

urlpatterns = [
    path("auth/login/", LoginView.as_view(), name="api-login"),
    path("auth/logout/", LogoutView.as_view(), name="api-logout"),
    path("auth/logoutall/", LogoutAllView.as_view(), name="api-logoutall"),
    path("auth/tokens/", TokensView.as_view(), name="api-token-list"),
    path("auth/tokens/<str:prefix>/", TokenView.as_view(), name="api-token"),
]
