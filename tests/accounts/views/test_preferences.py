"""The page of preferences, the theme switch and the change of language."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.models import UserPreference
from accounts.preferences import save_preferences
from tests.support.cast import Cast
from tests.support.pages import flat


def html_tag(response: Any) -> str:
    found = re.search(r"<html[^>]*>", response.content.decode())
    assert found
    return found[0]


def test_choices_made_on_the_page_are_kept(client: Client, cast: Cast) -> None:
    client.force_login(cast.rania)
    chosen = {"theme": "dark", "language": "de", "colour_map": "HOT", "alpha": "55"}
    answer = client.post(reverse("preferences"), chosen, follow=True)
    row = UserPreference.objects.get(user=cast.rania)
    assert (row.theme, row.language, row.colour_map, row.alpha) == ("dark", "de", "HOT", 0.55)
    assert answer.context["form"].initial["alpha"] == 55
    assert 'lang="de"' in html_tag(answer)


def test_the_page_confirms_in_the_language_that_was_just_chosen(client: Client, cast: Cast) -> None:
    save_preferences(actor=cast.rania, language="es")
    client.force_login(cast.rania)
    answer = client.post(reverse("preferences"), {"theme": "dark", "language": "de"}, follow=True)
    with override("de"):
        assert [str(message) for message in answer.context["messages"]] == [_("Your preferences were saved.")]


def test_what_was_left_empty_is_left_to_browser_and_installation(client: Client, cast: Cast) -> None:
    save_preferences(actor=cast.rania, language="de", colour_map="HOT", alpha=0.5)
    client.force_login(cast.rania)
    client.post(reverse("preferences"), {"theme": "system", "language": "", "colour_map": "", "alpha": ""})
    row = UserPreference.objects.get(user=cast.rania)
    assert (row.language, row.colour_map, row.alpha) == ("", "", None)


def test_impossible_choices_are_named_and_nothing_is_stored(client: Client, cast: Cast) -> None:
    client.force_login(cast.rania)
    answer = client.post(reverse("preferences"), {"theme": "neon", "alpha": "101"})
    assert answer.status_code == 400
    assert set(answer.context["form"].errors) == {"theme", "alpha"}
    assert not UserPreference.objects.exists()


@pytest.mark.parametrize(("stored", "painted"), [("dark", "dark"), ("light", "light"), ("system", None)])
def test_the_server_paints_the_stored_theme(
    client: Client, cast: Cast, stored: str, painted: str | None
) -> None:
    save_preferences(actor=cast.rania, theme=stored)
    client.force_login(cast.rania)
    tag = html_tag(client.get(reverse("studies")))
    assert f'data-theme-choice="{stored}"' in tag
    assert ("data-bs-theme" in tag) == (painted is not None)
    assert painted is None or f'data-bs-theme="{painted}"' in tag


def test_without_a_stored_theme_the_browser_decides(client: Client, cast: Cast) -> None:
    client.force_login(cast.rania)
    assert "theme" not in html_tag(client.get(reverse("studies")))


def test_the_theme_switch_is_kept(client: Client, cast: Cast) -> None:
    client.force_login(cast.rania)
    assert client.post(reverse("preferences-theme"), {"theme": "dark"}).status_code == 204
    assert client.post(reverse("preferences-theme"), {"theme": "neon"}).status_code == 400
    assert UserPreference.objects.get().theme == "dark"


def test_the_language_of_a_visitor_is_kept_in_a_cookie(client: Client, db: None) -> None:
    answer = client.post(reverse("set_language"), {"language": "es", "next": reverse("login")})
    assert answer.headers["Location"] == reverse("login")
    assert answer.cookies["django_language"]["httponly"]
    assert 'lang="es"' in html_tag(client.get(reverse("login")))


def test_the_language_of_a_person_is_kept_in_their_preferences_too(client: Client, cast: Cast) -> None:
    save_preferences(actor=cast.rania, language="de")
    client.force_login(cast.rania)
    client.post(reverse("set_language"), {"language": "es", "next": "/"})
    assert UserPreference.objects.get().language == "es"
    assert 'lang="es"' in html_tag(client.get(reverse("studies")))


def test_each_language_is_offered_in_its_own_words(client: Client, db: None) -> None:
    page = flat(client.get(reverse("login"), headers={"accept-language": "es"}).content)
    offered = re.findall(r'name="language" value="([^"]+)"[^>]*>([^<]+)<', page)
    assert offered == [("en-gb", "English"), ("de", "Deutsch"), ("es", "Español")]


@pytest.mark.parametrize("who", ["visitor", "rania"])
def test_an_unknown_language_changes_nothing(client: Client, cast: Cast, who: str) -> None:
    if who == "rania":
        client.force_login(cast.rania)
    client.post(reverse("set_language"), {"language": "tlh", "next": "/"})
    assert not UserPreference.objects.exists()
    assert "django_language" not in client.cookies


def test_changing_the_language_leads_to_no_other_site(client: Client, db: None) -> None:
    answer = client.post(reverse("set_language"), {"language": "de", "next": "https://example.org/"})
    assert answer.headers["Location"] == "/"
