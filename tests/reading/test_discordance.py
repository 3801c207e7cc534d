"""The discordance list: what counts as a difference, who sees it, and the reasons given."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import AuditEvent
from core.errors import NotAllowed
from diagnosis.intake.submission import submit_study
from diagnosis.models import Prediction, Project, Study
from reading.discordance import ReasonRefused, discordant, give_reason
from reading.models import DiscordanceReason
from reading.reviews.service import review_study
from tests.support.cast import Cast
from tests.support.inputs.films import chest_png

KINDS = ("reader_ai", "readers", "confident_wrong")


def read(reader: User, study: Study, finding: str, confidence: int = 70, **changes: Any) -> None:
    fields: dict[str, Any] = {"sign": True, "agrees_with_ai": True, **changes}
    review_study(actor=reader, study=study, finding=finding, confidence=confidence, **fields)


def result(outcome: str, probability: float) -> None:
    Prediction.objects.update(outcome=outcome, calibrated_probability=probability)


def kinds(cast: Cast) -> set[str]:
    return {kind for kind in KINDS if discordant(cast.aude, kind).exists()}


@pytest.mark.parametrize(
    ("outcome", "probability", "finding", "sure", "expected"),
    [
        ("pneumonia", 0.7, "normal", 100, {"reader_ai"}),
        ("normal", 0.3, "pneumonia", 100, {"reader_ai"}),
        ("pneumonia", 0.9, "normal", 80, {"reader_ai", "confident_wrong"}),
        ("pneumonia", 0.9, "normal", 79, {"reader_ai"}),
        ("pneumonia", 0.89, "normal", 80, {"reader_ai"}),
        ("normal", 0.1, "pneumonia", 80, {"reader_ai", "confident_wrong"}),
        ("pneumonia", 0.95, "pneumonia", 100, set()),
        ("normal", 0.05, "normal", 100, set()),
        ("pneumonia", 0.95, "other", 100, set()),
        ("pneumonia", 0.95, "not_readable", 100, set()),
    ],
)
def test_reader_and_ai(
    cast: Cast,
    finished_study: Study,
    outcome: str,
    probability: float,
    finding: str,
    sure: int,
    expected: set[str],
) -> None:
    result(outcome, probability)
    read(cast.rania, finished_study, finding, sure)
    assert kinds(cast) == expected


@pytest.mark.parametrize(
    ("first", "second", "differ"),
    [
        ("pneumonia", "normal", True),
        ("other", "normal", True),
        ("other", "pneumonia", True),
        ("pneumonia", "pneumonia", False),
        ("not_readable", "pneumonia", False),
    ],
)
def test_readers_among_themselves(
    cast: Cast, rob: User, finished_study: Study, first: str, second: str, differ: bool
) -> None:
    read(cast.rania, finished_study, first)
    read(rob, finished_study, second)
    assert ("readers" in kinds(cast)) is differ


def test_drafts_and_addenda_do_not_count(cast: Cast, rob: User, finished_study: Study) -> None:
    read(rob, finished_study, "normal", sign=False)
    read(cast.rania, finished_study, "pneumonia")
    read(cast.rania, finished_study, "normal", 100)
    assert kinds(cast) == set()


def test_nobody_sees_it_before_they_may_see_the_result(
    client: Client, cast: Cast, rob: User, finished_study: Study
) -> None:
    Project.objects.update(ai_visibility=Project.AiVisibility.HIDDEN)
    read(rob, finished_study, "normal", agrees_with_ai=None)
    client.force_login(cast.rania)
    assert finished_study.reference not in client.get(reverse("discordance")).content.decode()
    with pytest.raises(ReasonRefused):
        give_reason(actor=cast.rania, study=finished_study, kind="reader_ai", reason="subtle")
    read(cast.rania, finished_study, "pneumonia", agrees_with_ai=None)
    assert finished_study.reference in client.get(reverse("discordance")).content.decode()


@pytest.mark.parametrize("who", ["otto", "nobody"])
def test_films_of_other_projects_are_not_on_it(
    client: Client, cast: Cast, finished_study: Study, who: str
) -> None:
    read(cast.rania, finished_study, "normal")
    client.force_login(getattr(cast, who))
    assert finished_study.reference not in client.get(reverse("discordance")).content.decode()
    assert client.post(reverse("discordance-reason", args=[finished_study.uid])).status_code == 404


def test_a_reason_is_recorded_beside_earlier_ones(client: Client, cast: Cast, finished_study: Study) -> None:
    read(cast.rania, finished_study, "normal")
    client.force_login(cast.rania)
    address = reverse("discordance-reason", args=[finished_study.uid])
    for reason, note in (("subtle", "Faint."), ("quality", "<b>dark</b>")):
        fields = {"kind": "reader_ai", "reason": reason, "note": note}
        assert client.post(address, fields).status_code == 302
    page = client.get(reverse("discordance")).content.decode()
    assert "Subtle or ambiguous finding" in page
    assert "&lt;b&gt;dark" in page
    assert DiscordanceReason.objects.count() == 2
    assert AuditEvent.objects.filter(verb="discordance_reason_given", actor_name="rania").count() == 2


@pytest.mark.parametrize(
    "fields",
    [{}, {"kind": "reader_ai"}, {"kind": "x", "reason": "subtle"}, {"kind": "readers", "reason": "subtle"}],
)
def test_a_reason_that_makes_no_sense_is_refused(
    client: Client, cast: Cast, finished_study: Study, fields: dict[str, str]
) -> None:
    read(cast.rania, finished_study, "normal")
    client.force_login(cast.rania)
    assert client.post(reverse("discordance-reason", args=[finished_study.uid]), fields).status_code == 400
    assert not DiscordanceReason.objects.exists()


@pytest.mark.parametrize("who", ["alice", "aude"])
def test_who_neither_reads_nor_administers_gives_no_reasons(
    cast: Cast, finished_study: Study, who: str
) -> None:
    read(cast.rania, finished_study, "normal")
    with pytest.raises(NotAllowed):
        give_reason(actor=getattr(cast, who), study=finished_study, kind="reader_ai", reason="subtle")


def test_an_unknown_kind_shows_all(client: Client, cast: Cast, finished_study: Study) -> None:
    read(cast.rania, finished_study, "normal")
    client.force_login(cast.aude)
    for query, there in (("?kind=nothing", True), ("?kind=reader_ai", True), ("?kind=readers", False)):
        page = client.get(reverse("discordance") + query).content.decode()
        assert (finished_study.reference in page) is there, query


@pytest.mark.parametrize("count", [1, 8])
def test_the_list_asks_few_questions(
    client: Client, cast: Cast, rob: User, finished_study: Study, count: int
) -> None:
    films = [finished_study]
    for seed in range(1, count):
        films.append(submit_study(actor=cast.alice, project=cast.project, data=chest_png(seed=seed)).study)
    for film in films:
        read(cast.rania, film, "normal", agrees_with_ai=None if film != finished_study else False)
        read(rob, film, "pneumonia", agrees_with_ai=None if film != finished_study else False)
    client.force_login(cast.rania)
    with CaptureQueriesContext(connection) as seen:
        client.get(reverse("discordance"))
    assert len(seen) <= 15
