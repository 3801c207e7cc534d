"""Second factors: the administration is closed without, sign-in asks for them, loss has a way back."""

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core import serializers
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from tests.site.test_access_matrix import admin_address, is_admin
from tests.support.cast import Cast
from tests.support.routes import all_routes
from tests.support.running import run
from tests.support.second_factor import code_of, give_code, set_up_app, sign_in

ADMINISTRATION = reverse("admin:index")


@pytest.fixture(autouse=True)
def _required(settings: Any) -> None:
    settings.ADMIN_SECOND_FACTOR = True


def test_an_administrator_without_one_gets_no_page_of_the_administration(cast: Cast) -> None:
    adam = sign_in("adam")
    routes = [route for route in all_routes() if is_admin(route) and route.name != "admin:logout"]
    addresses = [*map(admin_address, routes), reverse("audit")]
    assert len(addresses) >= 20
    for address in addresses:
        for method in (adam.get, adam.post):
            answer = method(address)
            landed = answer.headers.get("Location", "")
            refused = answer.status_code == 302 and landed.startswith(("/admin/login/", reverse("mfa_index")))
            assert refused or answer.status_code in (403, 404), (address, answer.status_code, landed)


def test_the_way_leads_to_the_set_up_and_says_why(cast: Cast) -> None:
    page = sign_in("adam").get(ADMINISTRATION, follow=True)
    assert page.redirect_chain[-1][0].startswith(reverse("mfa_index"))
    assert "The administration asks for a second factor." in page.content.decode()


def test_everything_else_works_without_one(cast: Cast) -> None:
    adam = sign_in("adam")
    for name in ("studies", "upload", "tokens"):
        assert adam.get(reverse(name)).status_code == 200


@pytest.mark.django_db(transaction=True)  # allauth tells of a new authenticator after the commit
def test_after_the_set_up_the_administration_opens(cast: Cast) -> None:
    adam = sign_in("adam")
    set_up_app(adam)
    assert adam.get(ADMINISTRATION).status_code == 200
    assert adam.get(reverse("audit")).status_code == 200
    verbs = list(AuditEvent.objects.order_by("seq").values_list("verb", flat=True))
    assert verbs == ["signed_in", "second_factor_added", "second_factor_added"]


def test_a_session_that_gave_only_the_password_is_asked_for_the_code(cast: Cast) -> None:
    earlier, adam = sign_in("adam"), sign_in("adam")
    secret, _ = set_up_app(adam)
    page = earlier.get(ADMINISTRATION, follow=True)
    assert page.redirect_chain[-1][0].startswith(reverse("mfa_reauthenticate"))
    answer = earlier.post(reverse("mfa_reauthenticate"), {"code": code_of(secret), "next": ADMINISTRATION})
    assert answer["Location"] == ADMINISTRATION
    assert earlier.get(ADMINISTRATION).status_code == 200


def test_the_switch_for_demonstrations_opens_it(cast: Cast, settings: Any) -> None:
    settings.ADMIN_SECOND_FACTOR = False
    assert sign_in("adam").get(ADMINISTRATION).status_code == 200


def test_signing_in_asks_for_the_code_and_signs_nobody_in_before(cast: Cast) -> None:
    secret, _ = set_up_app(sign_in("rania"))
    rania = sign_in("rania")
    assert rania.get(reverse("studies")).status_code == 302
    assert give_code(rania, "000000").status_code == 200
    assert rania.get(reverse("studies")).status_code == 302
    assert give_code(rania, code_of(secret)).status_code == 302
    assert rania.get(reverse("studies")).status_code == 200


def test_a_code_works_once(cast: Cast) -> None:
    secret, _ = set_up_app(sign_in("rania"))
    code = code_of(secret)
    assert give_code(sign_in("rania"), code).status_code == 302
    assert give_code(sign_in("rania"), code).status_code == 200


def test_five_wrong_codes_lock_the_account_like_wrong_passwords(cast: Cast) -> None:
    secret, _ = set_up_app(sign_in("rania"))
    rania = sign_in("rania")
    answers = [give_code(rania, "000000").status_code for _ in range(5)]
    assert answers == [200, 200, 200, 200, 429]
    assert give_code(rania, code_of(secret)).status_code == 429
    assert Client().post(reverse("login"), {"username": "rania", "password": "x"}).status_code == 429


def test_right_passwords_without_a_code_never_lock(cast: Cast) -> None:
    set_up_app(sign_in("rania"))
    for _ in range(7):
        client = sign_in("rania")
    assert client.get(reverse("mfa_authenticate")).status_code == 200


def test_a_recovery_code_works_once_in_place_of_the_app(cast: Cast) -> None:
    _, codes = set_up_app(sign_in("rania"))
    assert len(codes) == 10
    assert give_code(sign_in("rania"), codes[0]).status_code == 302
    assert give_code(sign_in("rania"), codes[0]).status_code == 200


def test_recovery_codes_are_shown_once(cast: Cast) -> None:
    rania = sign_in("rania")
    _, codes = set_up_app(rania)
    page = rania.get(reverse("mfa_view_recovery_codes")).content.decode()
    assert not any(code in page for code in codes)
    assert rania.get(reverse("mfa_download_recovery_codes")).status_code == 403


def test_the_database_holds_no_secret_that_works(cast: Cast) -> None:
    secret, codes = set_up_app(sign_in("rania"))
    dump = serializers.serialize("json", Authenticator.objects.all())
    assert len(json.loads(dump)) == 2
    assert secret not in dump
    assert not any(code in dump for code in codes)


def test_after_a_change_of_the_secret_key_no_code_fits_and_nothing_breaks(cast: Cast, settings: Any) -> None:
    secret, codes = set_up_app(sign_in("rania"))
    settings.SECRET_KEY = "another one"
    rania = sign_in("rania")
    for code in (code_of(secret), codes[0]):
        assert give_code(rania, code).status_code == 200
    assert rania.get(reverse("studies")).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_the_command_takes_it_away_and_tells_the_trail(cast: Cast) -> None:
    adam = sign_in("adam")
    set_up_app(adam)
    assert adam.get(ADMINISTRATION).status_code == 200
    assert run("reset_second_factor", "adam").code == 0
    assert sign_in("adam").get(reverse("studies")).status_code == 200
    assert adam.get(ADMINISTRATION).status_code == 302
    event = AuditEvent.objects.get(verb="second_factor_reset")
    assert (event.object_id, event.actor_name) == (str(cast.adam.pk), "system")
    assert event.details["kinds"] == ["recovery_codes", "totp"]


def test_the_command_names_an_unknown_account(db: None) -> None:
    assert "There is no account" in run("reset_second_factor", "mallory").error
