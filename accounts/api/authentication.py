"""Authentication by knox tokens, limited to their scopes; malformed tokens get 401."""

import re
from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from accounts.tokens import READ, covers, record_use

_TOKEN = re.compile(rb"[A-Za-z0-9]{1,128}")


class TokenAuthentication(KnoxTokenAuthentication):  # type: ignore[misc]  # the library has no types
    """Signs in by the header `Authorization: Token …`.

    A view names the scope that a token needs: `read_scope` for safe methods (default “read”), `change_scope`
    for POST, PUT and PATCH. Without the latter, and for DELETE, only tokens without scopes are accepted.
    """

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        """Return the person and the token's row, None without a token; raises PermissionDenied by scope."""
        found: tuple[User, Any] | None = super().authenticate(request)
        if found is not None:
            _, token = found
            if not covers(token=token, scope=_scope_needed(request)):
                raise PermissionDenied("This token was not made for that.", "token_scope")
            record_use(token=token)
        return found

    def authenticate_credentials(self, token: bytes) -> tuple[User, Any]:
        """Return the person and the token's row; raises AuthenticationFailed."""
        if not _TOKEN.fullmatch(token):  # the library fails with a 500 on bytes that are not text
            raise AuthenticationFailed("Invalid token.")
        person: tuple[User, Any] = super().authenticate_credentials(token)
        return person


def _scope_needed(request: Request) -> str:
    view = (request.parser_context or {}).get("view")
    if request.method in SAFE_METHODS:
        return str(getattr(view, "read_scope", READ))
    return "" if request.method == "DELETE" else str(getattr(view, "change_scope", ""))


class TokenScheme(KnoxTokenScheme):  # type: ignore[no-untyped-call]  # the library has few types
    """Describes the token in the OpenAPI schema."""

    target_class = "accounts.api.authentication.TokenAuthentication"
    name = "token"
