"""Signing in and out of the API with tokens, which are stored hashed and expire."""

from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from drf_spectacular.utils import extend_schema
from knox.views import LoginView as KnoxLoginView
from knox.views import LogoutAllView as KnoxLogoutAllView
from knox.views import LogoutView as KnoxLogoutView
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from diagnosis.api.problem import ProblemSerializer
from diagnosis.api.tokens import TokenAuthentication


class CredentialsSerializer(serializers.Serializer[Any]):
    """User name and password."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=4096, trim_whitespace=False, style={"input_type": "password"})


class TokenSerializer(serializers.Serializer[Any]):
    """A new token; it is shown only this once."""

    token = serializers.CharField()
    expiry = serializers.DateTimeField()


class LockedOut(Throttled):
    """Too many wrong passwords for this account from this address."""

    default_code = "locked_out"

    def __init__(self) -> None:
        seconds = settings.AXES_COOLOFF_TIME * 3600
        super().__init__(wait=seconds)
        sentence = f"Too many wrong passwords. Sign-in is locked for {seconds / 60:.0f} minutes."
        self.detail = serializers.ErrorDetail(sentence, code=self.default_code)


class LoginView(KnoxLoginView):  # type: ignore[misc]  # the library has no types
    """Exchange user name and password for a token, to be sent as `Authorization: Token …`."""

    authentication_classes: list[type] = []
    permission_classes = [AllowAny]
    throttle_scope = "login"

    @extend_schema(
        operation_id="auth_login",
        request=CredentialsSerializer,
        responses={200: TokenSerializer, 401: ProblemSerializer},
        auth=[],
    )
    def post(self, request: Request, format: str | None = None) -> Response:
        """Answer with a token, 401 for wrong credentials, 429 while the account is locked."""
        credentials = CredentialsSerializer(data=request.data)
        credentials.is_valid(raise_exception=True)
        request.user = _signed_in(request, credentials.validated_data)
        response: Response = super().post(request, format)
        response["Cache-Control"] = "no-store"
        return response

    def get_authenticate_header(self, request: Request) -> str:
        """Say with 401 which scheme the token belongs to."""
        return "Token"


def _signed_in(request: Request, credentials: dict[str, str]) -> User:
    http_request = request._request
    user = authenticate(request=http_request, **credentials)
    if isinstance(user, User):
        return user
    if getattr(http_request, "axes_locked_out", False):
        http_request.axes_locked_out = False  # type: ignore[attr-defined]  # else its middleware answers in HTML
        raise LockedOut
    raise AuthenticationFailed("The user name or the password is wrong.", "bad_credentials")


class LogoutView(KnoxLogoutView):  # type: ignore[misc]  # the library has no types
    """Make the token that this request carries worthless."""

    authentication_classes = [TokenAuthentication]

    @extend_schema(operation_id="auth_logout", request=None, responses={204: None})
    def post(self, request: Request, format: str | None = None) -> Response:
        """Delete the token that came with the request."""
        response: Response = super().post(request, format)
        return response


class LogoutAllView(KnoxLogoutAllView):  # type: ignore[misc]  # the library has no types
    """Make every token of this account worthless."""

    authentication_classes = [TokenAuthentication]

    @extend_schema(operation_id="auth_logoutall", request=None, responses={204: None})
    def post(self, request: Request, format: str | None = None) -> Response:
        """Delete all tokens of the account."""
        response: Response = super().post(request, format)
        return response
