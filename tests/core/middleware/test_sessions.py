"""What prolongs a session: clicks do, what an open page asks by itself does not."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.middleware.sessions import POLLED_BY_PAGES, PROBES
from diagnosis.models import Study
from tests.support.cast import Cast

SOON = timedelta(minutes=5)


@pytest.fixture
def alice(client: Client, cast: Cast) -> Client:
    """Alice's browser; her session ends in five minutes unless she gives a sign of life."""
    client.force_login(cast.alice)
    Session.objects.update(expire_date=timezone.now() + SOON)
    return client


def ends_soon() -> bool:
    return Session.objects.get().expire_date <= timezone.now() + SOON


def test_what_a_page_asks_by_itself_does_not_prolong_the_session(alice: Client, study: Study) -> None:
    addresses = {
        "study-states": reverse("study-states"),
        "study-status": reverse("study-status", args=[study.uid]) + "?seen=",
        "notification-bell": reverse("notification-bell"),
        "system-banner": reverse("system-banner"),
    }
    assert set(addresses) | {"batch-status"} == POLLED_BY_PAGES
    for address in addresses.values():
        assert alice.get(address).status_code < 500
        assert alice.post(address, {"pending": str(study.uid)}).status_code < 500
    for name in PROBES:
        assert "sessionid" not in alice.get(reverse(name)).cookies
    assert ends_soon()


def test_a_click_does(alice: Client, study: Study) -> None:
    alice.get(study.get_absolute_url())
    assert not ends_soon()


def test_a_session_is_prolonged_once_a_minute_and_pages_in_between_write_nothing(
    alice: Client, study: Study, time_machine: Any
) -> None:
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    alice.get(study.get_absolute_url())
    first = Session.objects.get().expire_date
    time_machine.move_to(now + timedelta(seconds=59), tick=False)
    with CaptureQueriesContext(connection) as asked:
        alice.get(study.get_absolute_url())
    assert not [one for one in asked if one["sql"].startswith(f'UPDATE "{Session._meta.db_table}"')]
    assert Session.objects.get().expire_date == first
    time_machine.move_to(now + timedelta(seconds=60), tick=False)
    alice.get(study.get_absolute_url())
    assert Session.objects.get().expire_date == first + timedelta(seconds=60)
