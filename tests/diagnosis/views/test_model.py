"""The model page: the card for people, other versions, and the page without an active model."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from diagnosis.models import ModelVersion
from diagnosis.results.model_card import Section, format_value, section, sections_of
from tests.support.cards import stored_card
from tests.support.cast import Cast

METRICS: dict[str, Any] = {
    "cam_reference": 2.0,
    "validation": {"n": 520, "auc": 0.99213, "auc_ci": [0.981, 0.998], "confusion": {"tn": 12, "fp": 1}},
    "shift_tests": [{"test": "blur", "auc": 0.97}, {"test": "JPEG", "auc": 0.98, "films": 520}],
}


def shown(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


@pytest.fixture
def carded(active_model: ModelVersion) -> ModelVersion:
    active_model.card = stored_card(metrics=METRICS, limits=["Children from one centre only."])
    active_model.save()
    return active_model


def test_the_card_is_shown_with_use_limits_policy_and_figures(
    client: Client, cast: Cast, carded: ModelVersion
) -> None:
    client.force_login(cast.rania)
    page = shown(client.get(reverse("model")))
    for words_of_card in (
        "Tests of the software.",
        "Children from one centre only.",
        "For tests only.",
        "50.0%",
        "0" * 64,
        "Area under the ROC curve (AUC)",
        "0.9921",
        "0.981 to 0.998",
        "JPEG",
        "Research and education only. Not for clinical use.",
    ):
        assert words_of_card in page


def test_without_an_active_model_the_page_says_what_to_do(
    client: Client, cast: Cast, carded: ModelVersion
) -> None:
    ModelVersion.objects.update(state="retired")
    client.force_login(cast.rania)
    page = shown(client.get(reverse("model")))
    assert "No model is active" in page
    assert "Ask an administrator to activate one" in page
    client.force_login(cast.adam)
    assert "register_model --activate" in shown(client.get(reverse("model")))


def test_a_version_that_is_retired_keeps_its_page(client: Client, cast: Cast, carded: ModelVersion) -> None:
    ModelVersion.objects.update(state="retired")
    client.force_login(cast.rania)
    page = shown(client.get(reverse("model-version", args=[carded.version])))
    assert "This version reads no new films." in page


def test_a_version_whose_name_holds_dots_has_a_page(client: Client, cast: Cast, carded: ModelVersion) -> None:
    ModelVersion.objects.update(version="vgg16-2026.11")
    client.force_login(cast.rania)
    assert client.get(reverse("model-version", args=["vgg16-2026.11"])).status_code == 200


def test_an_unknown_version_is_not_found(client: Client, cast: Cast) -> None:
    client.force_login(cast.rania)
    assert client.get(reverse("model-version", args=["nothing"])).status_code == 404


def test_the_page_is_closed_to_people_who_are_not_signed_in(client: Client, carded: ModelVersion) -> None:
    assert client.get(reverse("model")).status_code == 302


@pytest.mark.parametrize("card", [{}, [], None, {"metrics": "none"}, {"limits": None, "operating_point": 3}])
def test_an_invalid_card_does_not_break_the_page(
    client: Client, cast: Cast, carded: ModelVersion, card: Any
) -> None:
    carded.card = card if card is not None else []
    carded.save()
    client.force_login(cast.rania)
    assert client.get(reverse("model")).status_code == 200


def test_the_page_takes_few_queries(
    client: Client, cast: Cast, carded: ModelVersion, django_assert_max_num_queries: Any
) -> None:
    client.force_login(cast.rania)
    with django_assert_max_num_queries(15):
        client.get(reverse("model"))


def test_figures_are_shown_with_their_intervals() -> None:
    laid_out = section("Validation", METRICS["validation"])
    assert [(fact.name, fact.value, fact.interval) for fact in laid_out.facts] == [
        ("Films", "520", ""),
        ("Area under the ROC curve (AUC)", "0.9921", "0.981 to 0.998"),
    ]
    assert [part.title for part in laid_out.parts] == ["Confusion"]


def test_rows_that_lack_a_column_leave_it_empty() -> None:
    table = section("Shift tests", METRICS["shift_tests"])
    assert table.columns == ["Test", "Area under the ROC curve (AUC)", "Films"]
    assert table.rows == [["blur", "0.97", ""], ["JPEG", "0.98", "520"]]


def test_well_known_parts_of_the_card_come_first() -> None:
    titles = [part.title for part in sections_of({"training": {"seed": 1}, "odd": 3, "data": {"films": 2}})]
    assert titles == ["Data", "Training", "More"]


def test_deeply_nested_cards_are_cut_off() -> None:
    deep: dict[str, Any] = {"value": 1}
    for _ in range(50):
        deep = {"inner": deep}

    def depth(part: Section) -> int:
        return 1 + max((depth(inner) for inner in part.parts), default=0)

    assert depth(section("Deep", deep)) <= 5


@pytest.mark.parametrize(
    ("value", "written"),
    [(None, "–"), (True, "yes"), (0.123456, "0.1235"), (5216, "5 216"), ([1, 2], "1, 2"), ("text", "text")],
)
def test_values_are_formatted(value: Any, written: str) -> None:
    assert format_value(value).replace("\u202f", " ") == written


def test_named_rows_of_figures_become_one_table_with_their_intervals() -> None:
    rows = {
        "validation films": {"n": 600, "flagged": 6, "share": 0.01, "share_ci": [0.005, 0.02]},
        "inverted": {"n": 40, "flagged": 40, "share": 1.0, "codes": {"inverted": 40}},
        "text page": {"n": 39, "flagged": 39, "share": 1.0},
    }
    table = section("Flagged", rows)
    assert table.columns == ["", "Films", "Flagged", "Share", "Codes"]
    assert table.rows[0] == ["Validation films", "600", "6", "0.01 (0.005 to 0.02)", ""]
    assert table.rows[1][-1] == "Inverted: 40"
