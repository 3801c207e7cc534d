"""Every response carries the security headers, whatever the address and the person."""

from typing import Any

import pytest
from django.test import Client

from reading.models import Review
from tests.site.test_access_matrix import address, admin_address, client_of, is_admin, review  # noqa: F401 - a fixture
from tests.support.cast import Cast
from tests.support.routes import all_routes


def complaints(answer: Any) -> list[str]:
    """Return what a response lacks."""
    policy = answer.headers.get("Content-Security-Policy", "")
    found = {
        "policy": "default-src 'none'" in policy,
        # Files have a policy of their own: a sandbox.
        "no frames by policy": "frame-ancestors 'none'" in policy or "sandbox" in policy,
        "nothing inline": "unsafe" not in policy,
        "nosniff": answer.headers.get("X-Content-Type-Options") == "nosniff",
        "no frames": answer.headers.get("X-Frame-Options") == "DENY",
        "referrer": answer.headers.get("Referrer-Policy") == "same-origin",
        "opener": answer.headers.get("Cross-Origin-Opener-Policy") == "same-origin",
    }
    return [name for name, there in found.items() if not there]


@pytest.mark.parametrize("who", ["anonymous", "root"])
def test_every_response_has_them(cast: Cast, review: Review, who: str) -> None:  # noqa: F811
    client = client_of(who, cast)
    asked, wrong = 0, {}
    for route in all_routes():
        where = admin_address(route) if is_admin(route) else address(route, review)
        answer = client.get(where)
        asked += 1
        if complaints(answer):
            wrong[route.name] = complaints(answer)
    assert asked > 100
    assert wrong == {}


def test_refusals_have_them_too(db: None) -> None:
    client = Client(raise_request_exception=False)
    answers = [
        client.get("/nowhere/"),
        client.post("/accounts/login/", HTTP_HOST="evil.example"),
        client.put("/"),
    ]
    assert [answer.status_code for answer in answers] == [404, 400, 302]
    assert [complaints(answer) for answer in answers] == [[], [], []]


def test_over_tls_hsts_is_sent(db: None, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 31_536_000
    assert Client().get("/accounts/login/")["Location"].startswith("https://")
    assert "max-age=31536000" in Client().get("/accounts/login/", secure=True)["Strict-Transport-Security"]
