"""Signing in and out of the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from accounts.tokens import tokens_of
from audit.models import AuditEvent
from tests.support.api import assert_problem, client_of
from tests.support.cast import PASSWORD, Cast
from tests.support.second_factor import code_of, set_up_app, sign_in

LOGIN = "/api/v1/auth/login/"
STUDIES = "/api/v1/studies/"


def log_in(username: str = "alice", password: str = PASSWORD) -> Any:
    return APIClient().post(LOGIN, {"username": username, "password": password}, format="json")


def with_token(token: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def test_the_right_password_gives_a_token_that_works_and_expires(cast: Cast, settings: Any) -> None:
    answer = log_in().json()
    assert set(answer) == {"token", "expiry", "disclaimer"}
    assert with_token(answer["token"]).get(STUDIES).status_code == 200
    assert AuthToken.objects.get().expiry < timezone.now() + settings.REST_KNOX["TOKEN_TTL"]


def test_the_token_is_not_stored_as_it_is(cast: Cast) -> None:
    token = log_in().json()["token"]
    stored = AuthToken.objects.get()
    assert token not in (stored.digest, stored.token_key)


def test_signing_in_and_out_is_audited(cast: Cast) -> None:
    with_token(log_in().json()["token"]).post("/api/v1/auth/logout/")
    assert list(AuditEvent.objects.order_by("seq").values_list("verb", flat=True)) == [
        "token_made",
        "signed_in",
        "signed_out",
    ]


@pytest.mark.parametrize(("username", "password"), [("alice", "wrong"), ("nobody-known", PASSWORD)])
def test_wrong_credentials_are_refused_alike(cast: Cast, username: str, password: str) -> None:
    response = log_in(username, password)
    problem = assert_problem(response, 401, "bad_credentials")
    assert problem["detail"] == "The user name or the password is wrong."
    assert response["WWW-Authenticate"] == "Token"


def test_an_inactive_account_is_refused_like_a_wrong_password(cast: Cast) -> None:
    cast.alice.is_active = False
    cast.alice.save()
    assert_problem(log_in(), 401, "bad_credentials")


@pytest.mark.parametrize(
    "body", [{}, {"username": "alice"}, {"username": "alice", "password": ""}, ["alice"]]
)
def test_missing_fields_are_named(cast: Cast, body: Any) -> None:
    assert_problem(APIClient().post(LOGIN, body, format="json"), 400, "invalid")


@pytest.mark.parametrize(
    "body", ["{", '"', '{"username": NaN}', '{"username": "\\ud800", "password": "x"}', "[" * 90_000]
)
def test_malformed_json_is_400(cast: Cast, body: str) -> None:
    assert_problem(APIClient().post(LOGIN, body, content_type="application/json"), 400)


def test_a_null_character_is_400(cast: Cast) -> None:
    assert_problem(log_in("ali\x00ce"), 400)


def test_huge_json_is_413(cast: Cast, settings: Any) -> None:
    body = '{"username": "' + "a" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + '"}'
    assert_problem(APIClient().post(LOGIN, body, content_type="application/json"), 413, "request_too_large")


def test_five_wrong_passwords_lock_the_account_even_for_the_right_one(cast: Cast, settings: Any) -> None:
    settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]["login"] = "10/min"
    for _ in range(settings.AXES_FAILURE_LIMIT):
        log_in(password="wrong")
    response = log_in()
    problem = assert_problem(response, 429, "locked_out")
    assert "15 minutes" in problem["detail"]
    assert response["Retry-After"] == "900"


def test_sign_in_attempts_are_throttled(cast: Cast) -> None:
    for attempt in range(10):
        assert log_in(f"somebody-{attempt}").status_code == 401
    response = log_in("somebody-else")
    assert_problem(response, 429, "throttled")
    assert int(response["Retry-After"]) > 0
    cache.clear()


def test_after_logout_the_token_is_worthless_and_others_are_not(cast: Cast) -> None:
    first, second = log_in().json()["token"], log_in().json()["token"]
    assert with_token(first).post("/api/v1/auth/logout/").status_code == 204
    assert_problem(with_token(first).get(STUDIES), 401)
    assert with_token(second).get(STUDIES).status_code == 200


def test_logoutall_ends_every_token_of_this_person_only(cast: Cast) -> None:
    alice, rania = client_of(cast.alice), client_of(cast.rania)
    another_of_alice = client_of(cast.alice)
    assert alice.post("/api/v1/auth/logoutall/").status_code == 204
    assert another_of_alice.get(STUDIES).status_code == 401
    assert rania.get(STUDIES).status_code == 200


def test_an_expired_token_is_401_and_says_where_to_get_another(cast: Cast) -> None:
    client = client_of(cast.alice)
    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    response = client.get(STUDIES)
    problem = assert_problem(response, 401, "authentication_failed")
    assert response["WWW-Authenticate"] == "Token"
    assert LOGIN in problem["detail"]


@pytest.mark.parametrize("header", ["Token", "Token a b", "Token nonsense", "Token \x00", "Token é"])
def test_a_broken_token_is_401(cast: Cast, header: str) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=header)
    assert_problem(client.get(STUDIES), 401, "authentication_failed")


def test_a_session_works_too_but_only_with_the_csrf_token(cast: Cast) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(cast.rania)
    assert client.get(STUDIES).status_code == 200
    assert_problem(client.post("/api/v1/reviews/", {}, format="json"), 403, "permission_denied")


# --- Second factor ------------------------------------------------------------------------------------


def log_in_with(otp: str | None) -> Any:
    body = {"username": "alice", "password": PASSWORD} | ({} if otp is None else {"otp": otp})
    return APIClient().post(LOGIN, body, format="json")


def test_with_a_second_factor_the_api_asks_for_its_code(cast: Cast) -> None:
    secret, codes = set_up_app(sign_in("alice"))
    assert_problem(log_in_with(None), 401, "otp_required")
    assert_problem(log_in_with("000000"), 401, "otp_wrong")
    assert log_in_with(code_of(secret)).status_code == 200
    assert log_in_with(codes[0]).status_code == 200
    assert_problem(log_in_with(codes[0]), 401, "otp_wrong")


def test_wrong_codes_lock_like_wrong_passwords_and_missing_ones_do_not(cast: Cast) -> None:
    secret, _ = set_up_app(sign_in("alice"))
    answers = [log_in_with(None).status_code for _ in range(3)]
    answers += [log_in_with("000000").status_code for _ in range(5)]
    assert answers == [401] * 7 + [429]
    assert_problem(log_in_with(code_of(secret)), 429, "locked_out")


def test_a_code_means_nothing_where_there_is_no_second_factor(cast: Cast) -> None:
    assert log_in_with("123456").status_code == 200


def test_a_token_may_be_named_narrowed_and_given_a_life(cast: Cast) -> None:
    body = {"username": "alice", "password": PASSWORD, "name": "script", "scopes": ["read"], "hours": 1}
    answer = APIClient().post(LOGIN, body, format="json").json()
    (row,) = tokens_of(cast.alice)
    assert (row.name, row.scopes) == ("script", ["read"])
    assert with_token(answer["token"]).post(STUDIES, {}).status_code == 403
    assert_problem(APIClient().post(LOGIN, {**body, "scopes": ["root"]}, format="json"), 400, "invalid")
