"""Helpers of the tests of accounts: signing in by the page, and an authenticator app."""

import re
import time
from typing import Any

from allauth.account.internal.flows.login import (
    _AUTHENTICATION_METHODS_USER_SESSION_KEY,
    AUTHENTICATION_METHODS_SESSION_KEY,
)
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from tests.support.cast import PASSWORD


def sign_in(name: str, password: str = PASSWORD) -> Client:
    """Return a client that gave its password by the page."""
    client = Client(raise_request_exception=False)
    client.post(reverse("login"), {"username": name, "password": password})
    return client


def code_of(secret: str) -> str:
    """Return what an authenticator app shows now, as if this code had not been used before."""
    cache.clear()
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def set_up_app(client: Client) -> tuple[str, list[str]]:
    """Set up an authenticator app by the page; return its secret and the recovery codes shown."""
    page = client.get(reverse("mfa_activate_totp"))
    secret = str(page.context["form"].secret)
    shown = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)}, follow=True)
    return secret, re.findall(r"<li>(\d{8})</li>", shown.content.decode())


def give_code(client: Client, code: str) -> Any:
    """Answer the question for the second factor while signing in."""
    return client.post(reverse("mfa_authenticate"), {"code": code})


def just_signed_in(client: Client, user: User) -> Client:
    """Sign in without a password, as if it had been given a moment ago."""
    client.force_login(user)
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [
        {"method": "password", "at": time.time(), "reauthenticated": True}
    ]
    session[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(user.pk)
    session.save()
    return client
