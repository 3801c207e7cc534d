"""manage.py verify_audit: messages and exit codes."""

from importlib import import_module

import pytest
from django.conf import settings
from django.db import connection

from audit import trail as audit
from audit.models import AuditEvent, AuditHead
from tests.support.running import run

pytestmark = pytest.mark.django_db


@pytest.fixture
def trail() -> None:
    """Three events."""
    for number in range(3):
        audit.record(actor=None, verb="film_downloaded", number=number)


@pytest.fixture
def tampered(trail: None) -> None:
    """Three events, the second changed past the triggers."""
    import_module("diagnosis.migrations.0003_append_only_audit").TRIGGERS.remove(connection)
    AuditEvent.objects.filter(seq=2).update(verb="nothing")


def test_a_whole_trail_gives_a_sentence_the_hash_to_note_and_exit_code_0(trail: None) -> None:
    outcome = run("verify_audit")
    assert outcome.code == 0
    assert "whole: 3 events" in outcome.output
    assert f"3:{AuditHead.objects.get().last_hash}" in outcome.output


def test_a_changed_event_is_named_and_gives_exit_code_1(tampered: None) -> None:
    outcome = run("verify_audit")
    assert outcome.code == 1
    assert "NOT whole. Event 2: it was changed" in outcome.error


def test_json_has_the_same_result(trail: None) -> None:
    outcome = run("verify_audit", "--json")
    assert outcome.code == 0
    assert outcome.json["whole"] is True
    assert outcome.json["events"] == 3
    assert outcome.json["disclaimer"] == settings.DISCLAIMER


def test_json_of_a_changed_trail_has_code_and_place_and_exit_code_1(tampered: None) -> None:
    outcome = run("verify_audit", "--json")
    assert outcome.code == 1
    assert (outcome.json["whole"], outcome.json["broken_at"], outcome.json["code"]) == (
        False,
        2,
        "event_changed",
    )


def test_a_noted_hash_that_differs_gives_exit_code_1(trail: None) -> None:
    assert run("verify_audit", "--noted", f"3:{AuditHead.objects.get().last_hash}").code == 0
    assert run("verify_audit", "--noted", f"3:{'0' * 64}").code == 1


@pytest.mark.parametrize("noted", ["", "3", "x:y", f"0:{'0' * 64}", f"3:{'g' * 64}"])
def test_a_mistyped_note_is_refused(noted: str) -> None:
    assert "NUMBER:HASH" in run("verify_audit", "--noted", noted).error
