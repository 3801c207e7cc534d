"""Which language a page speaks, and that programs are answered in English."""

from datetime import UTC, datetime

import pytest
from django.template import Context, Template
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.preferences import save_preferences
from tests.support.cast import Cast


def language_of(client: Client, page: str, **headers: str) -> str:
    return str(client.get(reverse(page), headers=headers).headers["Content-Language"])


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("", "en-gb"),
        ("en-US,en;q=0.9", "en-gb"),
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("es-MX", "es"),
        ("fi", "en-gb"),
    ],
)
def test_a_visitor_gets_what_the_browser_asks_for(client: Client, db: None, asked: str, given: str) -> None:
    assert language_of(client, "login", **{"accept-language": asked}) == given


def test_the_cookie_wins_over_the_browser_and_the_preference_over_both(client: Client, cast: Cast) -> None:
    client.cookies["django_language"] = "es"
    assert language_of(client, "login", **{"accept-language": "de"}) == "es"
    save_preferences(actor=cast.rania, language="de")
    client.force_login(cast.rania)
    assert language_of(client, "studies", **{"accept-language": "en"}) == "de"


def test_programs_get_english_unless_they_ask_for_another_language(client: Client, cast: Cast) -> None:
    save_preferences(actor=cast.rania, language="de")
    client.force_login(cast.rania)
    assert language_of(client, "api-study-list") == "en-gb"
    assert language_of(client, "api-study-list", **{"accept-language": "de"}) == "de"


def test_one_persons_language_does_not_stay_for_the_next(client: Client, cast: Cast) -> None:
    save_preferences(actor=cast.rania, language="de")
    client.force_login(cast.rania)
    client.get(reverse("studies"))
    client.force_login(cast.alice)
    assert language_of(client, "studies") == "en-gb"


@pytest.mark.parametrize(
    ("language", "long", "short", "number"),
    [
        ("en-gb", "24 November 2026, 15:05", "24 Nov 2026, 15:05", "0.25"),
        ("de", "24. November 2026, 15:05", "24.11.2026, 15:05", "0,25"),
        ("es", "24 de noviembre de 2026, 15:05", "24/11/2026, 15:05", "0,25"),
    ],
)
def test_dates_and_numbers_are_written_as_the_language_writes_them(
    language: str, long: str, short: str, number: str
) -> None:
    template = Template('{{ at|date:"DATETIME_FORMAT" }}|{{ at|date:"SHORT_DATETIME_FORMAT" }}|{{ share }}')
    moment = datetime(2026, 11, 24, 15, 5, tzinfo=UTC)
    with translation.override(language):
        assert template.render(Context({"at": moment, "share": 0.25})) == f"{long}|{short}|{number}"
