"""Notifications: to the right person, without results, by e-mail only where that is set up."""

import smtplib
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from diagnosis import notifications
from diagnosis.inference.reconcile import reconcile
from diagnosis.inference.worker import claim_prediction, requeue
from diagnosis.models import Batch, Notification, Prediction, Project, Study
from diagnosis.notifications import batch_finished, film_failed, mark_read, send_mail_due, sentence
from diagnosis.studies.trash import move_to_trash
from tests.support.cast import Cast

FACTS = {"waiting": 0, "accepted": 22, "duplicate": 1, "refused": 1, "missing": 0, "failed": 0}


@pytest.fixture
def batch(cast: Cast) -> Batch:
    return Batch.objects.create(project=cast.project, created_by=cast.alice, source="zip", state="finished")


@pytest.fixture
def by_mail(cast: Cast, settings: Any) -> None:
    """E-mail is set up, and Alice has an address."""
    settings.EMAIL_URL = "smtp://mail.example.org"
    cast.alice.email = "alice@example.org"
    cast.alice.save()


def test_the_sender_is_notified_of_a_film_that_failed(cast: Cast, study: Study) -> None:
    for attempt in (1, 2, 3):
        assert not Notification.objects.exists()
        claim = claim_prediction(str(study.predictions.get().uid))
        assert claim is not None, attempt
        requeue(claim)
    notification = Notification.objects.get()
    assert (notification.user, notification.study) == (cast.alice, study)
    assert study.reference in sentence(notification)


def test_the_reconciler_notifies_of_a_film_whose_workers_died(cast: Cast, study: Study) -> None:
    Prediction.objects.update(
        attempts=3, status="running", lease_expires_at=timezone.now() - timedelta(minutes=1)
    )
    reconcile()
    assert Notification.objects.get().kind == Notification.Kind.FILM_FAILED


def test_a_batchs_films_have_no_notifications_of_their_own(cast: Cast, study: Study) -> None:
    prediction = study.predictions.get()
    prediction.in_batch = True
    assert film_failed(prediction=prediction) is None
    assert not Notification.objects.exists()


def test_a_finished_batchs_notification_has_numbers_and_no_result(cast: Cast, batch: Batch) -> None:
    text = sentence(batch_finished(batch=batch, facts=FACTS))
    assert text == f"Batch {batch.reference} is finished: 22 films taken in, 1 already here, 1 refused."


def test_people_see_their_own_notifications_of_visible_films(cast: Cast, batch: Batch, study: Study) -> None:
    batch_finished(batch=batch, facts=FACTS)
    film_failed(prediction=study.predictions.get())
    assert Notification.objects.visible_to(cast.alice).count() == 2
    assert Notification.objects.visible_to(cast.adam).count() == 0
    move_to_trash(actor=cast.adam, study=study)
    assert Notification.objects.visible_to(cast.alice).count() == 1
    cast.alice.memberships.all().delete()
    assert Notification.objects.visible_to(cast.alice).count() == 0


def test_one_or_all_of_ones_own_notifications_are_marked_as_read(cast: Cast, batch: Batch) -> None:
    first, _second = (batch_finished(batch=batch, facts=FACTS) for _ in range(2))
    assert mark_read(actor=cast.rania) == 0
    assert mark_read(actor=cast.rania, notification=first) == 0
    assert mark_read(actor=cast.alice, notification=first) == 1
    assert Notification.objects.visible_to(cast.alice).unread().count() == 1
    assert mark_read(actor=cast.alice) == 1


def test_old_notifications_are_deleted_with_a_new_one(cast: Cast, batch: Batch, settings: Any) -> None:
    batch_finished(batch=batch, facts=FACTS)
    old = timezone.now() - timedelta(days=settings.NOTIFICATION_DAYS + 1)
    Notification.objects.update(created_at=old)
    new = batch_finished(batch=batch, facts=FACTS)
    assert list(Notification.objects.all()) == [new]


def test_without_a_setting_or_an_address_no_mail_is_due(cast: Cast, batch: Batch, settings: Any) -> None:
    batch_finished(batch=batch, facts=FACTS)
    settings.EMAIL_URL = "smtp://mail.example.org"
    batch_finished(batch=batch, facts=FACTS)
    assert send_mail_due() == 0
    assert mail.outbox == []


@pytest.mark.usefixtures("by_mail")
def test_a_mail_names_a_reference_only_and_is_sent_once(cast: Cast, batch: Batch) -> None:
    Project.objects.filter(pk=batch.project_id).update(name="Jane Smith's study")
    batch_finished(batch=batch, facts=FACTS)
    assert (send_mail_due(), send_mail_due()) == (1, 0)
    (sent,) = mail.outbox
    assert sent.to == ["alice@example.org"]
    assert batch.reference in sent.body
    assert "Research and education only. Not for clinical use." in sent.body
    for word in ("Smith", "alice", "operating point", "pneumonia "):
        assert word not in f"{sent.subject} {sent.body}"


@pytest.mark.usefixtures("by_mail")
def test_a_failing_mail_is_logged_and_tried_three_times(
    cast: Cast, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: EmailBackend, messages: Any) -> int:
        raise smtplib.SMTPServerDisconnected("from the test")

    monkeypatch.setattr(EmailBackend, "send_messages", broken)
    notification = batch_finished(batch=batch, facts=FACTS)
    for attempt in range(1, notifications.MAIL_ATTEMPTS + 1):
        assert (send_mail_due(), send_mail_due()) == (0, 0)  # the second one comes too early
        notification.refresh_from_db()
        assert notification.mail_attempts == attempt
        Notification.objects.update(mail_after=timezone.now())
    assert notification.mail == Notification.Mail.FAILED


@pytest.mark.usefixtures("by_mail")
@pytest.mark.parametrize("site", ["https://xray.example.org", ""])
def test_a_mail_links_to_the_page_if_the_sites_address_is_known(
    cast: Cast, batch: Batch, settings: Any, site: str
) -> None:
    settings.SITE_URL = site
    batch_finished(batch=batch, facts=FACTS)
    send_mail_due()
    (sent,) = mail.outbox
    if site:
        assert f"\n\nhttps://xray.example.org/batches/{batch.uid}/\n\n" in sent.body
    else:
        assert "/batches/" not in sent.body
