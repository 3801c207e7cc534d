"""Tokens at the API's door: knox's, with a 401 for what cannot be one."""

import re
from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

_TOKEN = re.compile(rb"[A-Za-z0-9]{1,128}")


class TokenAuthentication(KnoxTokenAuthentication):  # type: ignore[misc]  # the library has no types
    """Signs in by the header `Authorization: Token …`."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, Any]:
        """Return the person and the token's row; raises AuthenticationFailed."""
        if not _TOKEN.fullmatch(token):  # the library fails with a 500 on bytes that are not text
            raise AuthenticationFailed("Invalid token.")
        person: tuple[User, Any] = super().authenticate_credentials(token)
        return person


class TokenScheme(KnoxTokenScheme):  # type: ignore[no-untyped-call]  # the library has few types
    """Describes the token in the OpenAPI schema."""

    target_class = "diagnosis.api.tokens.TokenAuthentication"
    name = "token"
