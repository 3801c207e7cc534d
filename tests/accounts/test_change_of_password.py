"""A person's own new password: the old one cannot be guessed, and the trail tells of the change."""

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from tests.support.cast import PASSWORD, Cast
from tests.support.second_factor import just_signed_in, sign_in

NEW = {"new_password1": "violet harbour 41", "new_password2": "violet harbour 41"}


def test_five_wrong_old_passwords_lock_like_signing_in_and_the_right_one_comes_too_late(cast: Cast) -> None:
    alice, page = sign_in("alice"), reverse("password_change")
    answers = [alice.post(page, {"old_password": "x", **NEW}).status_code for _ in range(5)]
    assert answers == [200, 200, 200, 200, 429]
    assert alice.post(page, {"old_password": PASSWORD, **NEW}).status_code == 429
    cast.alice.refresh_from_db()
    assert cast.alice.check_password(PASSWORD)
    assert not AuditEvent.objects.filter(verb="password_changed").exists()


def test_a_change_is_recorded_ends_other_sessions_and_keeps_this_one(cast: Cast) -> None:
    here, elsewhere = sign_in("alice"), sign_in("alice")
    done = here.post(reverse("password_change"), {"old_password": PASSWORD, **NEW})
    assert done["Location"] == reverse("password_change_done")
    assert AuditEvent.objects.get(verb="password_changed").actor_name == "alice"
    assert here.get(reverse("studies")).status_code == 200
    assert elsewhere.get(reverse("studies")).status_code == 302


@pytest.mark.parametrize("old", ["", "wrong", PASSWORD.upper()])
def test_without_the_old_one_nothing_changes(cast: Cast, old: str) -> None:
    assert sign_in("alice").post(reverse("password_change"), {"old_password": old, **NEW}).status_code == 200
    assert not AuditEvent.objects.filter(verb="password_changed").exists()


def test_the_administrations_own_page_leads_to_this_one(client: Client, cast: Cast) -> None:
    just_signed_in(client, cast.adam)
    answer = client.post(reverse("admin:password_change"), {"old_password": PASSWORD, **NEW})
    assert answer["Location"] == reverse("password_change")
