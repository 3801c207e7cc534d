"""The review panel: who may review, what a reader sees, what happens to mistakes."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import AuditEvent
from diagnosis.models import Prediction, Study
from reading.models import Review
from reading.reviews.service import review_study
from tests.support.cast import Cast

HTMX = {"HX-Request": "true"}
FULL = {"agrees_with_ai": "no", "finding": "normal", "confidence": "70", "comment": "Clear lung fields."}


def shown(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def panel(client: Client, study: Study) -> str:
    response = client.get(reverse("study-reviews", args=[study.uid]), headers=HTMX)
    assert response.status_code == 200
    return shown(response)


def save(client: Client, study: Study, **fields: str) -> Any:
    return client.post(reverse("study-reviews", args=[study.uid]), fields, headers=HTMX)


def test_a_reader_saves_a_review_from_the_panel(client: Client, cast: Cast, finished_study: Study) -> None:
    client.force_login(cast.rania)
    response = save(client, finished_study, **FULL)
    review = Review.objects.get()
    assert (review.agrees_with_ai, review.finding, review.confidence) == (False, "normal", 70)
    assert "Your draft is saved." in shown(response)
    assert "<html" not in shown(response)
    assert AuditEvent.objects.filter(verb="review_saved", actor_name="rania").count() == 1


def test_without_scripts_the_panel_is_a_page_of_its_own(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    client.force_login(cast.rania)
    address = reverse("study-reviews", args=[finished_study.uid])
    assert "<html" in shown(client.get(address))
    response = client.post(address, FULL, follow=True)
    assert response.redirect_chain == [(address, 302)]
    assert "Your draft is saved." in shown(response)
    assert Review.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"agrees_with_ai": ""}, "Say whether you agree with the AI."),
        ({"agrees_with_ai": "perhaps"}, "Choose whether you agree or disagree with the AI."),
        ({"finding": ""}, "Choose your own finding."),
        ({"finding": "gout"}, "Choose one of the findings of the list."),
        ({"confidence": ""}, "Say how sure you are, from 0 to 100."),
        ({"confidence": "101"}, "Confidence is at most 100."),
        ({"confidence": "-1"}, "Confidence is at least 0."),
        ({"confidence": "very"}, "Confidence is a whole number from 0 to 100."),
        ({"comment": "x" * 4001}, "A comment has at most 4000 characters."),
    ],
)
def test_a_mistake_is_named_at_its_field_and_nothing_is_saved(
    client: Client, cast: Cast, finished_study: Study, wrong: dict[str, str], sentence: str
) -> None:
    client.force_login(cast.rania)
    response = save(client, finished_study, **{**FULL, **wrong})
    assert response.status_code == 422
    assert sentence in shown(response)
    assert not Review.objects.exists()


def test_nothing_typed_is_lost_by_a_mistake(client: Client, cast: Cast, finished_study: Study) -> None:
    client.force_login(cast.rania)
    page = shown(save(client, finished_study, **{**FULL, "finding": ""}))
    assert "Clear lung fields." in page
    assert 'value="70"' in page
    assert re.search(r'value="no"[^>]*checked', page)


def test_agreement_is_asked_only_where_the_ai_has_a_result(client: Client, cast: Cast, study: Study) -> None:
    client.force_login(cast.rania)
    page = panel(client, study)
    assert "Do you agree with the AI?" not in page
    assert "The AI has no result yet." in page
    save(client, study, finding="normal", confidence="70")
    assert Review.objects.get().agrees_with_ai is None


def test_a_form_filled_in_before_the_result_came_asks_the_missing_question(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    client.force_login(cast.rania)
    page = shown(save(client, finished_study, finding="other", confidence="40", comment="Typed before."))
    assert "Say whether you agree with the AI." in page
    assert "Typed before." in page


def test_a_change_of_mind_keeps_the_earlier_review_in_sight(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    client.force_login(cast.rania)
    save(client, finished_study, **FULL)
    assert "My earlier reviews" not in panel(client, finished_study)
    save(client, finished_study, **{**FULL, "finding": "pneumonia", "comment": "On second thoughts."})
    page = panel(client, finished_study)
    assert "My earlier reviews (1)" in page
    assert "Clear lung fields." in page
    assert Review.objects.count() == 2


def test_the_form_starts_from_the_readers_own_current_review(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    client.force_login(cast.rania)
    save(client, finished_study, **FULL)
    page = panel(client, finished_study)
    assert re.search(r'value="normal"[^>]*checked', page)
    assert 'value="70"' in page


def test_other_readers_opinions_are_folded_away_until_ones_own_is_given(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    other = cast.nobody
    other.groups.add(Group.objects.get(name="reader"))
    other.memberships.create(project=cast.project)
    review_study(actor=other, study=finished_study, finding="other", confidence=30, agrees_with_ai=True)
    client.force_login(cast.rania)
    folded = r'<details class="pw-more"> <summary>Reviews by other readers \(1\)'
    assert re.search(folded, panel(client, finished_study))
    save(client, finished_study, **FULL)
    assert re.search(folded.replace('">', '" open>'), panel(client, finished_study))


@pytest.mark.parametrize("who", ["alice", "aude", "adam"])
def test_others_see_the_reviews_and_cannot_add_one(
    client: Client, cast: Cast, finished_study: Study, who: str
) -> None:
    review_study(actor=cast.rania, study=finished_study, finding="other", confidence=30, agrees_with_ai=True)
    client.force_login(getattr(cast, who))
    page = panel(client, finished_study)
    assert "rania" in page
    assert "Readers review films." in page
    assert "<form" not in page
    response = save(client, finished_study, **FULL)
    assert response.status_code == 403
    assert "Your account may not review films." in shown(response)
    assert Review.objects.count() == 1


@pytest.mark.parametrize("who", ["otto", "nobody"])
def test_a_foreign_films_reviews_are_not_found(
    client: Client, cast: Cast, finished_study: Study, who: str
) -> None:
    client.force_login(getattr(cast, who))
    assert client.get(reverse("study-reviews", args=[finished_study.uid])).status_code == 404
    assert save(client, finished_study, **FULL).status_code == 404
    assert not Review.objects.exists()


def test_comments_are_shown_as_text(client: Client, cast: Cast, finished_study: Study) -> None:
    client.force_login(cast.rania)
    save(client, finished_study, **{**FULL, "comment": "<b onclick=alert(1)>bold</b>"})
    page = panel(client, finished_study)
    assert "&lt;b onclick=alert(1)&gt;" in page
    assert "<b onclick" not in page


def test_a_failed_reading_is_no_result_to_agree_with(client: Client, cast: Cast, study: Study) -> None:
    Prediction.objects.update(status="failed", failure_code="gave_up")
    client.force_login(cast.rania)
    assert save(client, study, finding="normal", confidence="70").status_code == 200


def test_opening_the_panel_takes_few_queries_at_first_and_fewer_later(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    for sure in range(5):
        review_study(
            actor=cast.rania, study=finished_study, finding="other", confidence=sure, agrees_with_ai=True
        )
    client.force_login(cast.rania)
    asked = []
    for _visit in range(2):
        with CaptureQueriesContext(connection) as queries:
            panel(client, finished_study)
        asked.append(len([query for query in queries if "SAVEPOINT" not in query["sql"]]))
    assert asked[1] < asked[0] <= 15
    assert AuditEvent.objects.filter(verb="reading_begun").count() == 1
