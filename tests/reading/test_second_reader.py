"""How often a film is read, that reads are blind to each other, and who decides where they differ."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from accounts import roles
from audit.models import AuditEvent
from core.errors import Conflict, NotAllowed, Refused
from diagnosis.models import Project, Study
from reading.adjudication import adjudicate, films_to_decide
from reading.discordance import discordant
from reading.lists.worklist import queue_of
from reading.models import Adjudication, Review
from reading.reviews.service import review_study
from reading.rules import readers_of, set_rules
from tests.support import api
from tests.support.cast import PASSWORD, Cast, person

WORDS = "Consolidation behind the heart."


@pytest.fixture
def ines(cast: Cast) -> User:
    """A third reader of Ward 7."""
    return person("ines", cast.project, roles.READER)


def rules(cast: Cast, *, reads: int = 0, blind: bool = False, adjudicators: tuple[User, ...] = ()) -> None:
    set_rules(
        actor=cast.adam,
        project=cast.project,
        reads_per_film=reads,
        reads_blind=blind,
        adjudicators=adjudicators,
    )


def sign(reader: User, study: Study, finding: str = "normal", **changes: Any) -> Review:
    fields: dict[str, Any] = {"confidence": 70, "agrees_with_ai": True, "sign": True, **changes}
    return review_study(actor=reader, study=study, finding=finding, **fields)


def blind_sign(reader: User, study: Study, finding: str) -> Review:
    return sign(reader, study, finding, agrees_with_ai=None)


# --- How many reads -----------------------------------------------------------------------------------


@pytest.mark.parametrize("reads", [1, 2, 3])
def test_a_film_is_offered_until_it_has_its_reads_and_never_twice_to_one_reader(
    cast: Cast, rob: User, ines: User, finished_study: Study, reads: int
) -> None:
    rules(cast, reads=reads)
    readers = [cast.rania, rob, ines]
    for number, reader in enumerate(readers):
        assert queue_of(reader).exists() is (number < reads)
        if number < reads:
            sign(reader, finished_study)
            assert not queue_of(reader).exists()


def test_without_rules_every_reader_is_offered_every_film(
    cast: Cast, rob: User, ines: User, finished_study: Study
) -> None:
    for reader in (cast.rania, rob, ines):
        assert queue_of(reader).exists()
        sign(reader, finished_study)


def test_drafts_and_addenda_are_no_reads(cast: Cast, rob: User, ines: User, finished_study: Study) -> None:
    rules(cast, reads=2)
    sign(cast.rania, finished_study)
    sign(cast.rania, finished_study)
    sign(rob, finished_study, sign=False)
    assert queue_of(ines).exists()


def test_who_has_begun_may_finish(cast: Cast, rob: User, finished_study: Study) -> None:
    rules(cast, reads=1)
    sign(rob, finished_study, sign=False)
    sign(cast.rania, finished_study)
    assert queue_of(rob).exists()


# --- Blind to each other ------------------------------------------------------------------------------


def heard(reader: User, study: Study) -> list[str]:
    """Where the reader hears of another's words or agreement: pages, partials and API."""
    client, caller = Client(), api.client_of(reader)
    client.force_login(reader)
    pages = {
        "panel": client.get(reverse("study-reviews", args=[study.uid])).content.decode(),
        "discordance": client.get(reverse("discordance")).content.decode().replace(study.reference, WORDS),
        "history": client.get(reverse("studies")).content.decode(),
        "api": caller.get(f"/api/v1/studies/{study.uid}/").content.decode(),
        "api list": caller.get("/api/v1/reviews/").content.decode(),
    }
    found = [
        name
        for name, text in pages.items()
        if "by other readers" in text or WORDS in text or "Disagreed" in text
    ]
    for query in ("/studies/?review=disagreed", "/api/v1/studies/?review_state=disagreed"):
        source = caller if query.startswith("/api") else client
        if str(study.uid) in source.get(query).content.decode():
            found.append(query)
    if discordant(reader).exists():
        found.append("discordant")
    return found


def test_reads_are_blind_to_each_other_until_ones_own_is_signed(
    cast: Cast, rob: User, finished_study: Study
) -> None:
    sign(rob, finished_study, "normal", agrees_with_ai=False, comment=WORDS)
    rules(cast, reads=2, blind=True)
    assert heard(cast.rania, finished_study) == []
    sign(cast.rania, finished_study, sign=False)  # a draft opens nothing
    assert heard(cast.rania, finished_study) == []
    sign(cast.rania, finished_study, "pneumonia")
    assert len(heard(cast.rania, finished_study)) >= 5


def test_without_the_rule_the_same_search_finds_them(cast: Cast, rob: User, finished_study: Study) -> None:
    sign(rob, finished_study, "normal", agrees_with_ai=False, comment=WORDS)
    assert {"panel", "history", "api", "api list", "discordance", "discordant"} <= set(
        heard(cast.rania, finished_study)
    )


def test_the_rule_holds_in_its_own_project_alone_and_not_for_those_who_do_not_read(
    cast: Cast, rob: User, finished_study: Study
) -> None:
    said = sign(rob, finished_study, "other")
    set_rules(
        actor=cast.adam, project=cast.other_project, reads_per_film=2, reads_blind=True, adjudicators=()
    )
    assert said in Review.objects.visible_to(cast.rania)
    rules(cast, blind=True)
    assert said not in Review.objects.visible_to(cast.rania)
    for who in (cast.aude, cast.adam, cast.alice):
        assert said in Review.objects.visible_to(who)


def test_the_administration_withholds_it_from_readers_too(
    client: Client, cast: Cast, rob: User, finished_study: Study
) -> None:
    said = sign(rob, finished_study, "other")
    rules(cast, blind=True)
    cast.adam.groups.add(Group.objects.get(name=roles.READER))
    for who, there in ((cast.aude, True), (User.objects.get(pk=cast.adam.pk), False)):
        client.force_login(who)
        page = client.get("/admin/reading/review/").content.decode()
        assert (f"/admin/reading/review/{said.pk}/change/" in page) is there


# --- Adjudication -------------------------------------------------------------------------------------


@pytest.fixture
def differing(cast: Cast, rob: User, finished_study: Study) -> Study:
    """A film on which Rania and Rob differ, in a project that hides the AI result and wants two reads."""
    Project.objects.update(ai_visibility=Project.AiVisibility.HIDDEN)
    rules(cast, reads=2)
    blind_sign(cast.rania, finished_study, "normal")
    blind_sign(rob, finished_study, "pneumonia")
    return finished_study


def decide(actor: User, study: Study, finding: str = "pneumonia", rationale: str = WORDS) -> Adjudication:
    return adjudicate(actor=actor, study=study, finding=finding, rationale=rationale)


def test_without_named_adjudicators_its_readers_record_a_consensus(
    cast: Cast, rob: User, ines: User, differing: Study
) -> None:
    assert [films_to_decide(who).exists() for who in (cast.rania, rob, ines)] == [True, True, False]
    with pytest.raises(Conflict):
        decide(ines, differing)
    decision = decide(rob, differing)
    assert (decision.basis, decision.finding) == ("consensus", "pneumonia")
    assert not films_to_decide(cast.rania).filter(decided=False).exists()
    assert AuditEvent.objects.get(verb="adjudicated").details == {
        "finding": "pneumonia",
        "basis": "consensus",
    }


def test_a_named_adjudicator_decides_as_third_reader_and_the_readers_do_not(
    cast: Cast, rob: User, ines: User, differing: Study
) -> None:
    rules(cast, reads=2, adjudicators=(ines,))
    assert [films_to_decide(who).exists() for who in (cast.rania, rob, ines)] == [False, False, True]
    assert decide(ines, differing).basis == "third_reader"


def test_an_adjudication_is_no_read_and_ends_the_film_for_its_adjudicator(
    cast: Cast, rob: User, ines: User, differing: Study
) -> None:
    rules(cast, reads=3, adjudicators=(ines,))
    assert not films_to_decide(ines).exists()  # the third read is still to come
    rules(cast, reads=0, adjudicators=(ines,))
    assert queue_of(ines).exists()
    decide(ines, differing)
    assert Review.objects.reads().count() == 2
    assert not queue_of(ines).exists()


@pytest.mark.parametrize(
    ("first", "second"), [("normal", "normal"), ("normal", "not_readable"), ("other", "other")]
)
def test_reads_that_do_not_differ_wait_for_nobody(
    cast: Cast, rob: User, finished_study: Study, first: str, second: str
) -> None:
    sign(cast.rania, finished_study, first)
    sign(rob, finished_study, second)
    assert not films_to_decide(rob).exists()


def test_a_third_reader_decides_blind_and_sees_everything_afterwards(
    client: Client, cast: Cast, ines: User, differing: Study
) -> None:
    rules(cast, reads=2, adjudicators=(ines,))
    client.force_login(ines)
    address = reverse("study-adjudication", args=[differing.uid])
    for page in (client.get(reverse("adjudications")), client.get(address)):
        text = page.content.decode().split("<main")[1]
        assert re.search(r"rania|\brob\b|78\s?%|0\.78|70% sure", text) is None
    assert "withheld from you until you have decided" in client.get(address).content.decode()
    assert not discordant(ines).exists()
    fields = {"finding": "pneumonia", "rationale": WORDS, "password": PASSWORD}
    assert client.post(address, fields).status_code == 302
    assert Study.objects.visible_to(ines).get().ai_hidden is False
    assert Review.objects.visible_to(ines).count() == 2
    assert "rania: Normal, 70% sure" in client.get(address).content.decode()
    assert WORDS in client.get(reverse("discordance")).content.decode()


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"password": "wrong"}, 422),
        ({"password": ""}, 422),
        ({"finding": "x"}, 422),
        ({"finding": ""}, 422),
        ({"rationale": " "}, 422),
        ({"rationale": "x" * 2001}, 422),
    ],
)
def test_what_makes_no_sense_decides_nothing(
    client: Client, cast: Cast, differing: Study, changes: dict[str, str], status: int
) -> None:
    client.force_login(cast.rania)
    fields = {"finding": "normal", "rationale": WORDS, "password": PASSWORD, **changes}
    assert client.post(reverse("study-adjudication", args=[differing.uid]), fields).status_code == status
    assert not Adjudication.objects.exists()


@pytest.mark.parametrize("who", ["alice", "aude", "adam", "otto"])
def test_others_decide_nothing(client: Client, cast: Cast, differing: Study, who: str) -> None:
    with pytest.raises(Refused):
        decide(getattr(cast, who), differing)
    client.force_login(getattr(cast, who))
    assert client.post(reverse("study-adjudication", args=[differing.uid])).status_code in (403, 404)


def test_a_decision_is_final_in_the_database_and_a_later_one_stands_beside_it(
    cast: Cast, differing: Study
) -> None:
    first = decide(cast.rania, differing)
    for change in (lambda: Adjudication.objects.update(finding="other"), first.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    later = decide(cast.rania, differing, "normal", "Seen again.")
    assert list(Adjudication.objects.all()) == [later, first]


# --- The rules' page ----------------------------------------------------------------------------------


def test_an_administrator_sets_the_rules_and_it_is_recorded(
    client: Client, cast: Cast, rob: User, study: Study
) -> None:
    client.force_login(cast.adam)
    address = reverse("project-reading-rules", args=["ward-7"])
    assert list(readers_of(cast.project)) == [cast.rania, rob]
    fields = {"reads_per_film": "2", "reads_blind": "on", "adjudicators": [str(rob.pk)]}
    assert client.post(address, fields).status_code == 302
    details = AuditEvent.objects.get(verb="reading_rules_set").details
    assert details == {"reads_per_film": 2, "reads_blind": True, "adjudicators": [rob.pk]}
    assert "Two reads a film" in client.get(reverse("reading-rules")).content.decode()


@pytest.mark.parametrize(
    "changes",
    [
        {"reads_per_film": "4"},
        {"reads_per_film": ""},
        {"adjudicators": ["otto"]},
        {"adjudicators": ["9" * 30]},
        {"adjudicators": ["\x00"]},
    ],
)
def test_rules_that_make_no_sense_change_nothing(client: Client, cast: Cast, changes: dict[str, Any]) -> None:
    client.force_login(cast.adam)
    fields: dict[str, Any] = {"reads_per_film": "1", **changes}
    if changes.get("adjudicators") == ["otto"]:
        fields["adjudicators"] = [str(cast.otto.pk)]
    assert client.post(reverse("project-reading-rules", args=["ward-7"]), fields).status_code == 400
    assert not AuditEvent.objects.filter(verb="reading_rules_set").exists()


def test_only_administrators_set_rules(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        set_rules(
            actor=cast.rania, project=cast.project, reads_per_film=1, reads_blind=False, adjudicators=()
        )
