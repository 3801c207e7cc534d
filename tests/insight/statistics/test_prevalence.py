"""The prevalence dial: page and partial, source and warning, bad input, and where it is offered."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from diagnosis.models import ModelVersion, Project, Study
from insight.statistics.prevalence import predictive_values_of
from tests.support.cards import stored_card
from tests.support.cast import Cast

CARD = stored_card(metrics={"validation": {"confusion": {"tn": 148, "fp": 13, "fn": 10, "tp": 456}}})


@pytest.fixture
def with_counts(active_model: ModelVersion) -> ModelVersion:
    """The active version with the counts of validation films in its card."""
    active_model.card = CARD
    active_model.save()
    return active_model


@pytest.fixture
def rania(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.rania)
    return client


def ask(client: Client, query: str, **headers: Any) -> Any:
    return client.get(reverse("prevalence") + query, **headers)


def test_the_page_works_without_scripts(rania: Client, with_counts: ModelVersion) -> None:
    text = ask(rania, "?prevalence=2").content.decode()
    assert "At a prevalence of 2%, 5.0 alarms are expected for each true case." in text
    assert '<td>19.8%</td><td class="pw-nowrap">12.8% to 29.4%</td>' in text
    assert 'method="get" action="/prevalence/"' in text
    assert 'name="prevalence" value="2"' in text


def test_source_and_n_are_named_and_the_warning_given(rania: Client, with_counts: ModelVersion) -> None:
    text = ask(rania, "").content.decode()
    assert (
        "From the card of test-model: sensitivity 97.9% (n = 466), specificity 91.9% (n = 161) on its "
        "validation films." in text
    )
    assert "Nobody has measured this model on your films" in text
    assert "At a prevalence of 10%" in text


def test_htmx_gets_the_part_alone(rania: Client, with_counts: ModelVersion) -> None:
    answer = ask(rania, "?prevalence=0.1&version=test-model", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "<html" not in answer.content.decode()
    assert "At a prevalence of 0.1%" in answer.content.decode()
    assert "HX-Request" in answer["Vary"]


@pytest.mark.parametrize(
    "query",
    [
        "?prevalence=0",
        "?prevalence=0.05",
        "?prevalence=100",
        "?prevalence=nan",
        "?prevalence=x",
        "?version=no",
    ],
)
def test_bad_input_is_refused_in_words(rania: Client, with_counts: ModelVersion, query: str) -> None:
    page, part = ask(rania, query), ask(rania, query, headers={"HX-Request": "true"})
    assert (page.status_code, part.status_code) == (400, 422)
    for answer in (page, part):
        assert "pw-fielderror" in answer.content.decode()
        assert "are expected" not in answer.content.decode()


def test_a_card_without_counts_says_so(rania: Client, active_model: ModelVersion) -> None:
    assert "holds no counts of validation films" in ask(rania, "").content.decode()


def test_without_any_model_the_page_says_so(rania: Client) -> None:
    assert "No model is registered" in ask(rania, "").content.decode()


def test_npv_near_one_is_not_rounded_to_certainty(with_counts: ModelVersion) -> None:
    rows = {name: (value, interval) for name, value, interval in predictive_values_of(with_counts, 0.5).rows}
    assert rows["Of films below it, without pneumonia (NPV)"] == (">99.9%", ">99.9% to >99.9%")


def test_the_study_page_offers_it_with_the_result_and_not_while_that_is_hidden(
    rania: Client, finished_study: Study
) -> None:
    link = "/prevalence/?version=test-model"
    assert link in rania.get(finished_study.get_absolute_url()).content.decode()
    Project.objects.update(ai_visibility=Project.AiVisibility.HIDDEN)
    assert "/prevalence/" not in rania.get(finished_study.get_absolute_url()).content.decode()
