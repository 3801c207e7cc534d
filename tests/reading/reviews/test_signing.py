"""A signature makes a read final: for the verbs, for both doors, and for the database itself."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from core.errors import Conflict, NotAllowed
from diagnosis.models import Study
from reading.models import Review
from reading.region import Region
from reading.reviews.service import review_study, sign_review
from tests.support import api
from tests.support.cast import PASSWORD, Cast

FORM = {"agrees_with_ai": "no", "finding": "normal", "confidence": "70", "comment": "Clear lung fields."}
HTMX = {"HX-Request": "true"}


def save(cast: Cast, study: Study, **changes: Any) -> Review:
    fields = {"finding": "pneumonia", "confidence": 80, "agrees_with_ai": True, **changes}
    return review_study(actor=cast.rania, study=study, **fields)


def test_a_draft_is_signed_as_it_stands(cast: Cast, finished_study: Study) -> None:
    draft = save(cast, finished_study)
    assert not draft.is_signed
    sign_review(actor=cast.rania, review=draft)
    signed = Review.objects.get()
    assert (signed.pk, signed.is_signed, signed.finding) == (draft.pk, True, "pneumonia")


def test_the_trail_keeps_what_was_signed(cast: Cast, finished_study: Study) -> None:
    review = save(cast, finished_study, sign=True, region=Region(0.1, 0.2, 0.3, 0.4))
    event = AuditEvent.objects.get(verb="review_signed")
    assert (event.actor_name, event.details["review"]) == ("rania", str(review.uid))
    review = Review.objects.get()
    assert event.details["sha256"] == review.digest()
    for field, value in {"finding": "normal", "confidence": 1, "comment": "x", "region_x": 0.2}.items():
        other = Review.objects.get()
        setattr(other, field, value)
        assert other.digest() != event.details["sha256"], field


def test_a_later_opinion_is_an_addendum_and_the_read_stays(cast: Cast, finished_study: Study) -> None:
    read = save(cast, finished_study, sign=True)
    draft = save(cast, finished_study, finding="normal", agrees_with_ai=False)
    second = save(cast, finished_study, finding="other", agrees_with_ai=False, sign=True)
    assert [draft.addendum_to, second.addendum_to] == [read, read]
    assert list(Review.objects.reads()) == [read]
    assert set(Review.objects.signed()) == {read, second}
    stored = Review.objects.get(pk=read.pk)
    assert (stored.finding, stored.confidence, stored.signed_at) == ("pneumonia", 80, read.signed_at)


def test_only_the_reader_signs_and_only_once(cast: Cast, finished_study: Study) -> None:
    draft = save(cast, finished_study)
    with pytest.raises(NotAllowed):
        sign_review(actor=cast.otto, review=draft)
    sign_review(actor=cast.rania, review=draft)
    with pytest.raises(Conflict) as again:
        sign_review(actor=cast.rania, review=draft)
    assert again.value.code == "not_a_draft"


def test_a_superseded_draft_cannot_be_signed(cast: Cast, finished_study: Study) -> None:
    first = save(cast, finished_study)
    save(cast, finished_study, finding="normal")
    with pytest.raises(Conflict):
        sign_review(actor=cast.rania, review=first)
    assert not Review.objects.signed().exists()


CHANGES: list[dict[str, Any]] = [
    {"finding": "normal"},
    {"confidence": 1},
    {"comment": "later"},
    {"agrees_with_ai": False},
    {"signed_at": None},
    {"region_x": None, "region_y": None, "region_width": None, "region_height": None},
    {"open_seconds": 5},
    {"is_current": False, "comment": "superseded and changed"},
]


@pytest.mark.parametrize("change", CHANGES)
def test_the_database_refuses_to_change_a_signed_review(
    cast: Cast, finished_study: Study, change: dict[str, Any]
) -> None:
    review = save(cast, finished_study, sign=True, region=Region(0.1, 0.2, 0.3, 0.4))
    with pytest.raises(IntegrityError), transaction.atomic():
        Review.objects.filter(pk=review.pk).update(**change)


def test_the_database_refuses_to_delete_a_signed_review_also_with_its_film(
    cast: Cast, finished_study: Study
) -> None:
    review = save(cast, finished_study, sign=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        Review.objects.filter(pk=review.pk).delete()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM reading_review")
    with pytest.raises(IntegrityError), transaction.atomic():
        finished_study.delete()
    assert Review.objects.count() == 1


def test_the_guard_leaves_drafts_alone_and_covers_every_column_but_one(
    cast: Cast, finished_study: Study
) -> None:
    draft = save(cast, finished_study)
    Review.objects.filter(pk=draft.pk).update(comment="changed")
    Review.objects.filter(pk=draft.pk).delete()
    from importlib import import_module

    guarded = import_module("reading.migrations.0004_signed_reviews_stay").COLUMNS.split(", ")
    columns = {field.column for field in Review._meta.concrete_fields}
    assert columns - set(guarded) == {"is_current"}


# --- The page -----------------------------------------------------------------------------------------


def send(client: Client, study: Study, **fields: str) -> Any:
    return client.post(reverse("study-reviews", args=[study.uid]), {**FORM, **fields}, headers=HTMX)


def test_the_form_signs_with_the_password_and_offers_an_addendum(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    client.force_login(cast.rania)
    response = send(client, finished_study, action="sign", password=PASSWORD)
    assert response.status_code == 200
    assert "Your read is signed and final." in response.content.decode()
    assert "Add an addendum" in response.content.decode()
    assert Review.objects.get().is_signed


@pytest.mark.parametrize("password", ["", "wrong"])
def test_without_the_right_password_nothing_is_signed_and_nothing_typed_is_lost(
    client: Client, cast: Cast, finished_study: Study, password: str
) -> None:
    client.force_login(cast.rania)
    response = send(client, finished_study, action="sign", password=password)
    page = response.content.decode()
    assert response.status_code == 422
    assert "password" in page
    assert "Clear lung fields." in page
    assert "wrong" not in page.replace("The password is wrong.", "")
    assert not Review.objects.exists()


def test_wrong_passwords_lock_signing_and_signing_in(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    client.force_login(cast.rania)
    for _ in range(5):
        response = send(client, finished_study, action="sign", password="wrong")
    assert response.status_code == 429
    assert "Too many wrong passwords." in response.content.decode()
    assert send(client, finished_study, action="sign", password=PASSWORD).status_code == 429
    assert not Review.objects.exists()
    login = Client().post(reverse("login"), {"username": "rania", "password": PASSWORD})
    assert login.status_code == 429
    assert AuditEvent.objects.filter(verb="sign_in_failed").count() >= 4


def test_somebody_elses_password_is_wrong(client: Client, cast: Cast, finished_study: Study) -> None:
    User.objects.get(username="alice").set_password("another one")
    cast.rania.set_password("hers alone and nobody else's")
    cast.rania.save()
    client.force_login(cast.rania)
    assert send(client, finished_study, action="sign", password=PASSWORD).status_code == 422


def test_a_draft_needs_no_password(client: Client, cast: Cast, finished_study: Study) -> None:
    client.force_login(cast.rania)
    assert send(client, finished_study, action="save", password="wrong").status_code == 200
    assert not Review.objects.get().is_signed


# --- The API ------------------------------------------------------------------------------------------


def test_the_api_signs_a_draft_with_the_password(cast: Cast, finished_study: Study) -> None:
    draft = save(cast, finished_study)
    client = api.client_of(cast.rania)
    address = f"/api/v1/reviews/{draft.uid}/sign/"
    api.assert_problem(client.post(address, {}, format="json"), 400, "invalid")
    api.assert_problem(client.post(address, {"password": "wrong"}, format="json"), 403, "password_wrong")
    assert not Review.objects.get().is_signed
    answer = client.post(address, {"password": PASSWORD}, format="json")
    assert answer.status_code == 200
    assert answer.json()["signed_at"]
    assert PASSWORD not in answer.content.decode()
    api.assert_problem(client.post(address, {"password": PASSWORD}, format="json"), 409, "not_a_draft")


def test_the_api_locks_after_wrong_passwords(cast: Cast, finished_study: Study) -> None:
    draft, client = save(cast, finished_study), api.client_of(cast.rania)
    address = f"/api/v1/reviews/{draft.uid}/sign/"
    for _ in range(5):
        response = client.post(address, {"password": "wrong"}, format="json")
    api.assert_problem(response, 429, "locked_out")
    assert int(response["Retry-After"]) > 0


@pytest.mark.parametrize(("who", "status"), [("alice", 403), ("otto", 404), ("aude", 403)])
def test_nobody_else_signs_it(cast: Cast, finished_study: Study, who: str, status: int) -> None:
    draft = save(cast, finished_study)
    client = api.client_of(getattr(cast, who))
    answer = client.post(f"/api/v1/reviews/{draft.uid}/sign/", {"password": PASSWORD}, format="json")
    api.assert_problem(answer, status)
    assert not Review.objects.get().is_signed
