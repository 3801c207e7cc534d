"""Notifications: the number in the header, the list, marking as read, permissions."""

import pytest
from django.test import Client
from django.urls import reverse

from diagnosis.models import Batch, Notification
from diagnosis.notifications import batch_finished
from tests.support.cast import Cast

HTMX = {"HX-Request": "true"}


@pytest.fixture
def told(cast: Cast) -> Notification:
    batch = Batch.objects.create(project=cast.project, created_by=cast.alice, source="zip", state="finished")
    batch_finished(batch=batch, facts={"accepted": 3})
    return batch_finished(batch=batch, facts={"accepted": 24})


def test_every_page_shows_the_number_of_unread_notifications(
    client: Client, cast: Cast, told: Notification
) -> None:
    client.force_login(cast.alice)
    assert "2 unread" in client.get(reverse("studies")).content.decode()
    assert "2 unread" in client.get(reverse("notification-bell")).content.decode()
    client.force_login(cast.rania)
    assert "unread" not in client.get(reverse("notification-bell")).content.decode()


def test_the_list_leads_to_the_batch_and_marks_one_or_all(
    client: Client, cast: Cast, told: Notification
) -> None:
    client.force_login(cast.alice)
    page = client.get(reverse("notifications")).content.decode()
    assert "24 films taken in" in page
    assert told.batch is not None
    assert told.batch.get_absolute_url() in page
    part = client.post(reverse("notifications-read"), {"notification": told.uid}, headers=HTMX)
    assert (part.status_code, part["HX-Trigger"]) == (200, "notifications-changed")
    assert Notification.objects.visible_to(cast.alice).unread().count() == 1
    assert client.post(reverse("notifications-read"))["Location"] == reverse("notifications")
    assert "Mark" not in client.get(reverse("notifications")).content.decode()


@pytest.mark.parametrize("named", ["x", "00000000-0000-4000-8000-000000000000", "hers"])
def test_a_notification_that_is_not_ones_own_is_not_found(
    client: Client, cast: Cast, told: Notification, named: str
) -> None:
    client.force_login(cast.rania)
    uid = told.uid if named == "hers" else named
    assert client.post(reverse("notifications-read"), {"notification": uid}).status_code == 404
    assert Notification.objects.unread().count() == 2
