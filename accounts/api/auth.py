"""Signing in and out of the API with tokens, which are stored hashed and expire."""

from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_login_failed
from drf_spectacular.utils import extend_schema
from knox.views import LogoutAllView as KnoxLogoutAllView
from knox.views import LogoutView as KnoxLogoutView
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed, NotFound, Throttled
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import TokenAuthentication
from accounts.login_attempts import release_attempt
from accounts.second_factor import code_is_right, has_second_factor
from accounts.tokens import ANY, MAX_HOURS, SCOPES, make_token, revoke_all_tokens, revoke_token, tokens_of
from core.api.actor import actor_of
from core.api.problem import ProblemSerializer


class CredentialsSerializer(serializers.Serializer[Any]):
    """User name and password, and a code where the account has a second factor."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=4096, trim_whitespace=False, style={"input_type": "password"})
    otp = serializers.CharField(
        max_length=20,
        required=False,
        help_text="Code of the authenticator app, or a recovery code; where the account has a second factor.",
    )
    name = serializers.CharField(
        max_length=60, required=False, help_text="What the token is for, to tell it from others."
    )
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=list(SCOPES)),
        required=False,
        max_length=len(SCOPES),
        help_text="What the token may be used for; without any, for everything that you may do.",
    )
    hours = serializers.IntegerField(
        min_value=1, max_value=MAX_HOURS, required=False, help_text="Its life; without it TOKEN_HOURS."
    )


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


class LoginView(APIView):
    """Exchange user name and password for a token, to be sent as `Authorization: Token …`."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_scope = "login"

    @extend_schema(
        operation_id="auth_login",
        request=CredentialsSerializer,
        responses={200: TokenSerializer, 401: ProblemSerializer},
        auth=[],
    )
    def post(self, request: Request, format: str | None = None) -> Response:
        """Answer with a token, 401 for wrong credentials or a missing code, 429 while locked."""
        serializer = CredentialsSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields: dict[str, Any] = dict(serializer.validated_data)
        credentials = {name: fields.pop(name) for name in ("username", "password")}
        user = _signed_in(request._request, credentials, fields.pop("otp", ""))
        made = make_token(actor=user, **fields)
        user_logged_in.send(sender=User, request=request._request, user=user)
        answer = TokenSerializer({"token": made.secret, "expiry": made.expiry}).data
        return Response(answer, headers={"Cache-Control": "no-store"})

    def get_authenticate_header(self, request: Request) -> str:
        """Say with 401 which scheme the token belongs to."""
        return "Token"


def _signed_in(http_request: Any, credentials: dict[str, str], code: str) -> User:
    user = authenticate(request=http_request, **credentials)
    if not isinstance(user, User):
        _raise_if_locked(http_request)
        raise AuthenticationFailed("The user name or the password is wrong.", "bad_credentials")
    if not has_second_factor(user):
        return user
    if not code:
        release_attempt(http_request, user.get_username())
        raise AuthenticationFailed("This account has a second factor: send its code as otp.", "otp_required")
    if not code_is_right(user=user, code=code):
        named = {"username": user.get_username()}
        user_login_failed.send(sender=__name__, credentials=named, request=http_request)
        _raise_if_locked(http_request)
        raise AuthenticationFailed("The code is wrong, or was used already.", "otp_wrong")
    return user


def _raise_if_locked(http_request: Any) -> None:
    if getattr(http_request, "axes_locked_out", False):
        http_request.axes_locked_out = False  # else its middleware answers in HTML
        raise LockedOut


class LogoutView(KnoxLogoutView):  # type: ignore[misc]  # the library has no types
    """Make the token that this request carries worthless."""

    authentication_classes = [TokenAuthentication]
    change_scope = ANY

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
        revoke_all_tokens(actor=actor_of(request))
        response: Response = super().post(request, format)
        return response


class TokenRowSerializer(serializers.Serializer[Any]):
    """A token of the caller's, without its secret."""

    prefix = serializers.CharField(help_text="How the token begins; names it when it is revoked.")
    name = serializers.CharField()
    created = serializers.DateTimeField()
    expiry = serializers.DateTimeField(allow_null=True)
    last_used_on = serializers.DateField(allow_null=True)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=list(SCOPES)), help_text="Empty: everything that you may do."
    )


class TokenListSerializer(serializers.Serializer[Any]):
    """The caller's tokens that have not expired."""

    results = TokenRowSerializer(many=True)


class TokensView(APIView):
    """The caller's own tokens."""

    @extend_schema(operation_id="auth_tokens_list", responses={200: TokenListSerializer})
    def get(self, request: Request) -> Response:
        """List the tokens that have not expired, newest first."""
        return Response(TokenListSerializer({"results": tokens_of(actor_of(request))}).data)


class TokenView(APIView):
    """One of the caller's own tokens."""

    @extend_schema(
        operation_id="auth_tokens_destroy", request=None, responses={204: None, 404: ProblemSerializer}
    )
    def delete(self, request: Request, prefix: str) -> Response:
        """Make the token worthless at once."""
        if not revoke_token(actor=actor_of(request), prefix=prefix):
            raise NotFound("You have no token that begins like this.")
        return Response(status=204)
