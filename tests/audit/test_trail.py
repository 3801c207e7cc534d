"""The audit trail: complete, cheap to write, and every kind of tampering is found."""

import random
from collections.abc import Callable, Iterator
from importlib import import_module

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit import trail
from audit.models import AuditEvent, AuditHead
from tests.support.cast import PASSWORD, Cast

triggers = import_module("diagnosis.migrations.0003_append_only_audit").TRIGGERS
EVENTS = 12


def write_events(actor: User | None = None, count: int = EVENTS) -> None:
    for number in range(count):
        trail.record(actor=actor, verb="film_downloaded", number=number, share=0.1, kind="original")


@pytest.fixture
def without_triggers(db: None) -> Iterator[None]:
    """The trail as somebody finds it who has the database's own password."""
    triggers.remove(connection)
    yield
    triggers.install(connection)


def test_events_are_numbered_and_say_who_did_what_to_which_object(cast: Cast) -> None:
    event = trail.record(actor=cast.adam, verb="project_changed", target=cast.project, open_to_all=True)
    event.refresh_from_db()
    assert (event.seq, event.actor_id, event.actor_name) == (1, cast.adam.pk, "adam")
    assert (event.verb, event.object_type, event.object_id) == (
        "project_changed",
        "project",
        str(cast.project.pk),
    )
    assert event.details == {"open_to_all": True}


def test_an_untouched_trail_is_whole(cast: Cast) -> None:
    write_events(cast.adam)
    report = trail.verify_chain()
    assert report.is_whole
    assert report.events == EVENTS
    assert report.head == AuditEvent.objects.get(seq=EVENTS).hash


def test_an_empty_trail_is_whole(db: None) -> None:
    assert trail.verify_chain() == trail.ChainReport(events=0, head=trail.GENESIS)


def test_an_event_costs_at_most_four_queries(cast: Cast) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        trail.record(actor=cast.adam, verb="signed_in", target=cast.adam)
    assert len(queries) <= 4, [query["sql"] for query in queries]


def test_verifying_costs_no_query_per_event(db: None) -> None:
    write_events()
    with CaptureQueriesContext(connection) as queries:
        trail.verify_chain()
    assert len(queries) <= 3


def change_that_is_undone() -> None:
    with transaction.atomic():
        trail.record(actor=None, verb="model_activated")
        raise ValueError


def test_an_event_vanishes_together_with_the_change_it_tells_of(db: None) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - raised two lines above
        change_that_is_undone()
    assert not AuditEvent.objects.exists()
    assert trail.verify_chain().is_whole


def change_with_event() -> None:
    with transaction.atomic():
        User.objects.create(username="unseen")
        trail.record(actor=None, verb="administrator_created")


@pytest.mark.django_db(transaction=True)
def test_a_change_whose_event_cannot_be_written_is_undone() -> None:
    AuditHead.objects.all().delete()
    with pytest.raises(ObjectDoesNotExist):
        change_with_event()
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_transactional_test_begins_with_a_fresh_installation() -> None:
    assert AuditHead.objects.get().last_seq == 0
    write_events(count=2)
    assert trail.verify_chain().events == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda: AuditEvent.objects.filter(seq=3).update(verb="nothing"),
        lambda: AuditEvent.objects.filter(seq=3).delete(),
        lambda: AuditEvent.objects.all().delete(),
        lambda: AuditEvent.objects.get(seq=3).save(),
    ],
    ids=["update", "delete", "delete all", "save"],
)
def test_the_database_itself_refuses_to_change_the_trail(db: None, change: Callable[[], object]) -> None:
    write_events()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        change()
    assert trail.verify_chain().events == EVENTS


# --- One hundred tamperings ---------------------------------------------------------------------------


def edit(chance: random.Random) -> None:
    """Change one column of one event."""
    event = AuditEvent.objects.get(seq=chance.randint(1, EVENTS))
    column, value = chance.choice(
        [
            ("verb", "study_viewed"),
            ("actor_name", "mallory"),
            ("actor_id", 99),
            ("object_id", "7"),
            ("object_type", "study"),
            ("details", {**event.details, "kind": "overlay"}),
            ("at", event.at.replace(microsecond=(event.at.microsecond + 1) % 1_000_000)),
            ("hash", "f" * 64),
            ("previous_hash", "f" * 64),
        ]
    )
    AuditEvent.objects.filter(pk=event.pk).update(**{column: value})


def delete(chance: random.Random) -> None:
    """Take out one event that is not the last."""
    AuditEvent.objects.get(seq=chance.randint(1, EVENTS - 1)).delete()


def delete_and_renumber(chance: random.Random) -> None:
    """Take out one event and close the gap."""
    gone = chance.randint(1, EVENTS - 1)
    AuditEvent.objects.get(seq=gone).delete()
    for seq in range(gone + 1, EVENTS + 1):
        AuditEvent.objects.filter(seq=seq).update(seq=seq - 1)


def reorder(chance: random.Random) -> None:
    """Let two events change places."""
    first, second = chance.sample(range(1, EVENTS + 1), 2)
    for old, new in ((first, 1000), (second, first), (1000, second)):
        AuditEvent.objects.filter(seq=old).update(seq=new)


def truncate(chance: random.Random) -> None:
    """Cut off the newest events."""
    AuditEvent.objects.filter(seq__gt=EVENTS - chance.randint(1, EVENTS)).delete()


def insert(chance: random.Random) -> None:
    """Append an event with a correct hash, as somebody would who knows the method but forgets the head."""
    last = AuditEvent.objects.get(seq=EVENTS)
    forged = AuditEvent(
        seq=EVENTS + 1,
        at=last.at,
        actor_name="mallory",
        verb="signed_in",
        details={"chance": chance.random()},
        previous_hash=last.hash,
    )
    forged.hash = trail.event_hash(forged)
    forged.save(force_insert=True)


TAMPERINGS = [edit, delete, delete_and_renumber, reorder, truncate, insert]


@pytest.mark.parametrize("number", range(100))
def test_every_tampering_is_found(without_triggers: None, number: int) -> None:
    write_events()
    assert trail.verify_chain().is_whole
    TAMPERINGS[number % len(TAMPERINGS)](random.Random(number))
    report = trail.verify_chain()
    assert not report.is_whole
    assert report.reason


@pytest.mark.parametrize(
    ("tamper", "code"),
    [
        (delete, "event_missing"),
        (delete_and_renumber, "order_changed"),
        (truncate, "tail_missing"),
        (insert, "tail_added"),
    ],
)
def test_the_report_names_the_kind_of_tampering(
    without_triggers: None, tamper: Callable[[random.Random], None], code: str
) -> None:
    write_events()
    tamper(random.Random(1))
    assert trail.verify_chain().code == code


def test_a_trail_rewritten_as_a_whole_is_found_by_the_hash_that_was_noted(without_triggers: None) -> None:
    write_events()
    noted = (EVENTS, trail.verify_chain().head)
    AuditEvent.objects.all().delete()
    AuditHead.objects.update(last_seq=0, last_hash=trail.GENESIS)
    write_events()
    assert trail.verify_chain().is_whole
    assert trail.verify_chain(noted=noted).code == "note_differs"


def test_a_trail_cut_back_with_its_head_is_found_by_the_hash_that_was_noted(without_triggers: None) -> None:
    write_events()
    noted = (EVENTS, trail.verify_chain().head)
    AuditEvent.objects.filter(seq__gt=5).delete()
    AuditHead.objects.update(last_seq=5, last_hash=AuditEvent.objects.get(seq=5).hash)
    assert trail.verify_chain().is_whole
    assert trail.verify_chain(noted=noted).code == "tail_missing"


def test_a_noted_hash_that_still_fits_is_fine_however_long_the_trail_has_grown(db: None) -> None:
    write_events()
    noted = (EVENTS, trail.verify_chain().head)
    write_events()
    assert trail.verify_chain(noted=noted).is_whole


def test_a_missing_head_is_found(db: None) -> None:
    write_events()
    AuditHead.objects.all().delete()
    assert trail.verify_chain().code == "head_missing"


# --- Sign-ins -----------------------------------------------------------------------------------------


def test_signing_in_and_out_is_recorded(cast: Cast, client: Client) -> None:
    assert client.post("/accounts/login/", {"username": "alice", "password": PASSWORD}).status_code == 302
    client.post("/accounts/logout/")
    verbs = list(AuditEvent.objects.order_by("seq").values_list("verb", "actor_name"))
    assert verbs == [("signed_in", "alice"), ("signed_out", "alice")]


def test_a_failed_sign_in_names_a_known_account_and_never_what_was_typed(cast: Cast, client: Client) -> None:
    client.post("/accounts/login/", {"username": "alice", "password": "wrong"})
    client.post("/accounts/login/", {"username": "my-secret-password", "password": "wrong"})
    known, unknown = AuditEvent.objects.order_by("seq")
    assert (known.verb, known.object_id) == ("sign_in_failed", str(cast.alice.pk))
    assert (unknown.verb, unknown.object_id) == ("sign_in_failed", "")
    assert not AuditEvent.objects.filter(details__icontains="secret").exists()
