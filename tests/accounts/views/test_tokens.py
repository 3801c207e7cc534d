"""The page of one's tokens: shown once, asked for the password again, revoked one by one or all."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core import serializers
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from accounts.models import TokenDetails
from accounts.tokens import make_token, tokens_of
from audit.models import AuditEvent
from tests.support.cast import PASSWORD, Cast
from tests.support.second_factor import sign_in

STUDIES, AUDIT, REVIEWS = "/api/v1/studies/", "/api/v1/audit/", "/api/v1/reviews/"
NEW = {"name": "nightly script", "hours": "168", "scopes": ["read"]}


def program(secret: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    return client


def test_a_new_token_is_shown_once_and_works(cast: Cast) -> None:
    alice = sign_in("alice")
    shown = alice.post(reverse("tokens"), NEW)
    secret = shown.context["made"].secret
    assert secret in shown.content.decode()
    page = alice.get(reverse("tokens")).content.decode()
    assert secret not in page
    assert "nightly script" in page
    assert program(secret).get(STUDIES).status_code == 200
    assert tokens_of(cast.alice)[0].last_used_on == timezone.localdate()
    assert AuditEvent.objects.filter(verb="token_made", actor_name="alice").count() == 1
    rows = [*AuthToken.objects.all(), *TokenDetails.objects.all(), *AuditEvent.objects.all()]
    assert secret not in serializers.serialize("json", rows)


def test_making_one_asks_for_the_password_when_it_was_given_long_ago_and_then_goes_on(cast: Cast) -> None:
    alice = sign_in("alice")
    later = timezone.now() + timedelta(seconds=settings.ACCOUNT_REAUTHENTICATION_TIMEOUT + 60)
    with time_machine.travel(later):
        asked = alice.post(reverse("tokens"), NEW)
        assert asked["Location"].startswith(reverse("account_reauthenticate"))
        assert not AuthToken.objects.exists()
        wrong = alice.post(asked["Location"], {"password": "wrong"})
        assert wrong.status_code == 200
        assert not AuthToken.objects.exists()
        done = alice.post(asked["Location"], {"password": PASSWORD, "next": reverse("tokens")})
    assert done.context["made"] is not None
    assert AuthToken.objects.count() == 1


def test_asking_again_is_locked_like_signing_in(cast: Cast) -> None:
    alice = sign_in("alice")
    answers = [alice.post(reverse("account_reauthenticate"), {"password": "x"}).status_code for _ in range(5)]
    assert answers == [200, 200, 200, 200, 429]


@pytest.mark.parametrize("change", [{"hours": "0"}, {"hours": "99999"}, {"scopes": ["root"]}, {"name": ""}])
def test_a_wrong_form_makes_none(cast: Cast, change: dict[str, Any]) -> None:
    assert sign_in("alice").post(reverse("tokens"), {**NEW, **change}).status_code == 422
    assert not AuthToken.objects.exists()


def test_revoking_ends_one_or_all_of_ones_own(cast: Cast) -> None:
    alice = sign_in("alice")
    first, second = (make_token(actor=cast.alice).secret for _ in range(2))
    foreign = make_token(actor=cast.rania)
    assert alice.post(reverse("token-revoke", args=[foreign.secret[:15]])).status_code == 404
    assert alice.post(reverse("token-revoke", args=[first[:15]])).status_code == 302
    assert program(first).get(STUDIES).status_code == 401
    assert program(second).get(STUDIES).status_code == 200
    alice.post(reverse("tokens-revoke-all"))
    assert program(second).get(STUDIES).status_code == 401
    assert program(foreign.secret).get(STUDIES).status_code == 200
    verbs = set(AuditEvent.objects.values_list("verb", flat=True))
    assert {"token_revoked", "tokens_revoked"} <= verbs


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        ([], (200, 200, 400, 400)),
        (["read"], (200, 403, 403, 403)),
        (["audit"], (403, 200, 403, 403)),
        (["upload"], (403, 403, 400, 403)),
        (["review", "read"], (200, 403, 403, 400)),
    ],
)
def test_a_token_does_what_its_scopes_say_and_nothing_else(
    cast: Cast, scopes: list[str], expected: tuple[int, ...]
) -> None:
    client = program(make_token(actor=cast.adam, scopes=scopes).secret)
    got = (
        client.get(STUDIES).status_code,
        client.get(AUDIT).status_code,
        client.post(STUDIES, {}).status_code,
        client.post(REVIEWS, {}, format="json").status_code,
    )
    assert got == expected


def test_a_token_with_scopes_deletes_nothing_and_makes_or_revokes_no_token(cast: Cast) -> None:
    everything = ["read", "upload", "review", "audit"]
    secret = make_token(actor=cast.adam, scopes=everything).secret
    client = program(secret)
    assert client.delete(f"/api/v1/auth/tokens/{secret[:15]}/").status_code == 403
    assert client.post("/api/v1/auth/logoutall/").status_code == 403
    assert client.post("/api/v1/auth/logout/").status_code == 204
    assert client.get(STUDIES).status_code == 401


def test_the_api_lists_and_revokes_ones_own(cast: Cast) -> None:
    secret = make_token(actor=cast.alice, name="mine").secret
    foreign = make_token(actor=cast.rania).secret
    client = program(secret)
    (row,) = client.get("/api/v1/auth/tokens/").json()["results"]
    assert (row["name"], row["prefix"]) == ("mine", secret[:15])
    assert client.delete(f"/api/v1/auth/tokens/{foreign[:15]}/").status_code == 404
    assert client.delete(f"/api/v1/auth/tokens/{secret[:15]}/").status_code == 204
    assert client.get(STUDIES).status_code == 401


def test_visitors_are_sent_to_sign_in(db: None) -> None:
    assert Client().get(reverse("tokens"))["Location"].startswith("/accounts/login/?next=")
