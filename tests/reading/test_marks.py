"""Tags and notes: who marks films, who sees which mark, and that none tells a reader what others think."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import AuditEvent
from core.errors import Conflict, NotAllowed
from diagnosis.models import Study
from reading.lists.queries import FEW
from reading.marks import MarkRefused, make_tag, remove_tag, tag_film, untag_film, write_note
from reading.models import FilmTag, Note, Tag
from reading.reviews.service import review_study
from reading.rules import set_rules
from tests.reading.views.test_history import put_in
from tests.support.cast import Cast

HTMX = {"HX-Request": "true"}
WORDS = "I would call this one pneumonia."


@pytest.fixture
def follow_up(cast: Cast) -> Tag:
    return make_tag(actor=cast.adam, project=cast.project, name="follow-up", colour="amber")


def panel(who: User, study: Study) -> str:
    client = Client()
    client.force_login(who)
    return client.get(reverse("study-marks", args=[study.uid]), headers=HTMX).content.decode()


def found(who: User, study: Study, tag: Tag) -> list[str]:
    """On which lists, narrowed to the tag, the person finds the film."""
    client = Client()
    client.force_login(who)
    addresses = {"films": f"/studies/?tag={tag.pk}", "worklist": f"/worklist/?tag={tag.pk}"}
    return [
        name for name, address in addresses.items() if str(study.uid) in client.get(address).content.decode()
    ]


@pytest.mark.parametrize("few", [FEW, 0], ids=["a-few-films", "many-films"])
def test_a_tag_is_put_on_a_film_found_by_it_and_taken_off(
    client: Client, cast: Cast, study: Study, follow_up: Tag, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("reading.lists.queries.FEW", few)
    client.force_login(cast.rania)
    address = reverse("study-marks", args=[study.uid])
    page = client.post(address, {"action": "tag", "tag": str(follow_up.pk)}, headers=HTMX).content.decode()
    assert "pw-tag--amber" in page
    assert found(cast.rania, study, follow_up) == ["films", "worklist"]
    client.post(address, {"action": "untag", "tag": str(follow_up.pk)}, headers=HTMX)
    assert found(cast.rania, study, follow_up) == []
    verbs = AuditEvent.objects.filter(actor_name="rania").values_list("verb", flat=True)
    assert {"film_tagged", "film_untagged"} <= set(verbs)


def test_a_note_has_author_and_time_and_shows_as_text(client: Client, cast: Cast, study: Study) -> None:
    client.force_login(cast.alice)
    address = reverse("study-marks", args=[study.uid])
    assert client.post(address, {"action": "note", "text": "<b>rotated</b>"}).status_code == 302
    page = panel(cast.rania, study)
    assert "&lt;b&gt;rotated" in page
    assert "<strong>alice</strong>" in page
    assert AuditEvent.objects.get(verb="note_written").details == {"note": Note.objects.get().pk}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"action": "x"},
        {"action": "tag"},
        {"action": "tag", "tag": "9999"},
        {"action": "tag", "tag": "\x00"},
        {"action": "note"},
        {"action": "note", "text": " "},
        {"action": "note", "text": "x" * 2001},
    ],
)
def test_marks_that_make_no_sense_change_nothing(
    client: Client, cast: Cast, study: Study, follow_up: Tag, fields: dict[str, str]
) -> None:
    client.force_login(cast.rania)
    assert client.post(reverse("study-marks", args=[study.uid]), fields).status_code == 422
    assert not FilmTag.objects.exists()
    assert not Note.objects.exists()


def test_tags_of_other_projects_are_no_tags_of_the_film(cast: Cast, study: Study) -> None:
    foreign = make_tag(actor=cast.adam, project=cast.other_project, name="theirs")
    with pytest.raises(MarkRefused):
        tag_film(actor=cast.rania, study=study, tag=foreign)


@pytest.mark.parametrize(("who", "status"), [("aude", 403), ("otto", 404), ("nobody", 404)])
def test_others_mark_nothing(client: Client, cast: Cast, study: Study, who: str, status: int) -> None:
    with pytest.raises(NotAllowed):
        write_note(actor=getattr(cast, who), study=study, text="x")
    client.force_login(getattr(cast, who))
    fields = {"action": "note", "text": "x"}
    assert client.post(reverse("study-marks", args=[study.uid]), fields).status_code == status
    assert not Note.objects.exists()


def test_one_takes_off_ones_own_tag_and_an_administrator_everybodys(
    cast: Cast, rob: User, study: Study, follow_up: Tag
) -> None:
    tag_film(actor=rob, study=study, tag=follow_up)
    untag_film(actor=cast.rania, study=study, tag=follow_up)
    assert FilmTag.objects.exists()
    untag_film(actor=cast.adam, study=study, tag=follow_up)
    assert not FilmTag.objects.exists()


# --- Blind reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize("blind", ["hidden AI", "blind reads"])
def test_marks_of_others_are_withheld_with_their_opinions(
    cast: Cast, rob: User, hidden_study: Study, follow_up: Tag, blind: str
) -> None:
    project = cast.project
    if blind == "blind reads":
        project.ai_visibility = "shown"
        project.save()
        set_rules(actor=cast.adam, project=project, reads_per_film=2, reads_blind=True, adjudicators=())
    tag_film(actor=rob, study=hidden_study, tag=follow_up)
    write_note(actor=rob, study=hidden_study, text=WORDS)
    assert "pw-tag--" not in panel(cast.rania, hidden_study)
    assert WORDS not in panel(cast.rania, hidden_study)
    assert found(cast.rania, hidden_study, follow_up) == []
    review_study(
        actor=cast.rania,
        study=hidden_study,
        finding="normal",
        confidence=70,
        agrees_with_ai=True if blind == "blind reads" else None,
        sign=True,
    )
    assert "pw-tag--" in panel(cast.rania, hidden_study)
    assert WORDS in panel(cast.rania, hidden_study)
    assert found(cast.rania, hidden_study, follow_up) == ["films"]


def test_ones_own_marks_and_neutral_tags_show_all_the_same(
    cast: Cast, rob: User, hidden_study: Study, follow_up: Tag
) -> None:
    week = make_tag(actor=cast.adam, project=cast.project, name="week 12", before_reading=True)
    tag_film(actor=cast.alice, study=hidden_study, tag=week)
    tag_film(actor=cast.rania, study=hidden_study, tag=follow_up)
    write_note(actor=cast.rania, study=hidden_study, text="Mine.")
    page = panel(cast.rania, hidden_study)
    assert all(words in page for words in ("week 12", "pw-tag--amber", "Mine."))
    assert found(cast.rania, hidden_study, week) == ["films", "worklist"]
    assert "Mine." in panel(cast.aude, hidden_study)


# --- A project's tags ---------------------------------------------------------------------------------


def test_an_administrator_makes_and_removes_tags(client: Client, cast: Cast, study: Study) -> None:
    client.force_login(cast.adam)
    address = reverse("project-tags", args=["ward-7"])
    assert client.post(address, {"name": " follow  up ", "colour": "red"}).status_code == 302
    tag = Tag.objects.get()
    assert (tag.name, tag.colour, tag.before_reading) == ("follow up", "red", False)
    assert client.post(address, {"name": "Follow Up", "colour": "red"}).status_code == 400
    for fields in ({"name": "", "colour": "red"}, {"name": "x", "colour": "pink"}):
        assert client.post(address, fields).status_code == 400
    tag_film(actor=cast.rania, study=study, tag=tag)
    assert client.post(reverse("project-tag-remove", args=["elsewhere", tag.pk])).status_code == 404
    assert client.post(reverse("project-tag-remove", args=["ward-7", tag.pk])).status_code == 302
    assert not FilmTag.objects.exists()


def test_nobody_else_does(cast: Cast, follow_up: Tag) -> None:
    for who in (cast.rania, cast.alice, cast.aude):
        with pytest.raises(NotAllowed):
            make_tag(actor=who, project=cast.project, name="x")
        with pytest.raises(NotAllowed):
            remove_tag(actor=who, tag=follow_up)
    with pytest.raises(Conflict):
        make_tag(actor=cast.adam, project=cast.project, name="FOLLOW-UP")


def rows_of(who: User, address: str) -> tuple[str, int]:
    """The list's page as the person sees it, and how many queries it took that are about rows."""
    client = Client()
    client.force_login(who)
    with CaptureQueriesContext(connection) as queries:
        page = client.get(address).content.decode()
    return page, len(queries)


@pytest.mark.parametrize("address", ["/studies/", "/worklist/"])
def test_lists_show_the_tags_of_each_film_in_one_query(
    cast: Cast, study: Study, follow_up: Tag, address: str
) -> None:
    films = [put_in(cast.alice, cast.project, number=number) for number in range(1, 6)]
    tag_film(actor=cast.rania, study=study, tag=follow_up)
    page, asked = rows_of(cast.rania, address)
    assert page.count("pw-tag--amber") == 1
    for film in films:
        tag_film(actor=cast.alice, study=film, tag=follow_up)
        tag_film(actor=cast.rania, study=film, tag=follow_up)
    page, asked_for_more = rows_of(cast.rania, address)
    assert page.count("pw-tag--amber") == 6
    assert asked_for_more == asked


def test_rows_do_not_tell_of_others_tags_while_opinions_are_withheld(
    cast: Cast, hidden_study: Study, follow_up: Tag
) -> None:
    tag_film(actor=cast.alice, study=hidden_study, tag=follow_up)
    assert "pw-tag--amber" not in rows_of(cast.rania, "/studies/")[0] + rows_of(cast.rania, "/worklist/")[0]
    assert "pw-tag--amber" in rows_of(cast.alice, "/studies/")[0]
