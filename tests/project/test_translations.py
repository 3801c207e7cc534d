"""Every text for people is translated: in code, templates, scripts, catalogues and on pages."""

import ast
import re
import runpy
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from accounts.preferences import save_preferences
from core.errors import Refused
from pneumoml.explain.heatmap import COLOUR_MAPS
from reading.models import Review
from tests.site.test_access_matrix import address, is_admin, review
from tests.support.cast import Cast
from tests.support.routes import all_routes
from tests.support.sources import ROOT, Source, sources

__all__ = ["review"]  # the fixture that the tests of all addresses share
LANGUAGES = ["de", "es"]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static" / "js").rglob("*.js"))


@cache
def catalogues() -> Any:
    """The functions of scripts/translations.py, which is not a package."""
    return SimpleNamespace(**runpy.run_path(str(ROOT / "scripts" / "translations.py")))


# --- Catalogues ---------------------------------------------------------------------------------------


def test_every_language_but_that_of_the_code_has_a_catalogue() -> None:
    assert catalogues().languages() == LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_catalogue_is_complete_and_compiled(language: str) -> None:
    faults = catalogues().faults(language)
    assert not faults, "Run scripts/translations.py update, translate, compile:\n  " + "\n  ".join(faults)


def test_strings_are_found_in_code_templates_and_the_library() -> None:
    catalog = catalogues().collect()
    places = {place.partition("/")[0] for message in catalog for place, _line in message.locations}
    assert {"diagnosis", "reading", "insight", "templates", "pneumoml"} <= places
    assert len(catalog) > 900


# --- Code, templates, scripts -------------------------------------------------------------------------

# Names, formats, codes and keys that are the same in every language.
SAME_EVERYWHERE = re.compile(
    r"\b(?:pneumoweb|API|SHA-256|JPEG|PNG|DICOM|CSV|PDF|ZIP|Excel|XLSX|Grad-CAM|URL|MB|mm|Shift)\b|&\w+;|[\w-]+=\""
)
_UNSEEN = re.compile(
    r"\{%\s*comment.*?endcomment\s*%\}|\{#.*?#\}|<!--.*?-->|<!doctype[^>]*>"
    r"|\{%\s*blocktrans(?:late)?.*?endblocktrans(?:late)?\s*%\}"
    r"|<(code|kbd|script|style)\b.*?</\1>",
    re.DOTALL | re.IGNORECASE,
)
_TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_SAID = re.compile(r"\b(?:aria-label|title|alt|placeholder|aria-valuetext)=\"([^\"]*)\"")
_ELEMENT = re.compile(r"<[^>]*>", re.DOTALL)


def unmarked(source: str) -> list[str]:
    """Visible words of a template outside translation tags."""
    seen = _TAG.sub("\x00", _UNSEEN.sub(" ", source))
    texts = [match.group(1) for match in _SAID.finditer(seen)]
    texts += _ELEMENT.sub("\x00", seen).split("\x00")
    left = (SAME_EVERYWHERE.sub("", text).strip(" \n\x00") for text in texts)
    return [text for text in left if re.search(r"[A-Za-z]{2,}", text)]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_text_of_a_template_escapes_translation(template: Path) -> None:
    assert unmarked(template.read_text(encoding="utf-8")) == []


def test_words_outside_the_tags_of_translation_are_found() -> None:
    assert unmarked('<p>{% translate "Films" %} · {{ n }}</p>') == []
    assert unmarked("<p>Films {{ n }}</p>") == ["Films"]
    assert unmarked('<a aria-label="Open {{ name }}">{{ name }}</a>') == ["Open"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_take_their_sentences_from_the_page(script: Path) -> None:
    code = re.sub(r"^\s*//.*$", "", script.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sentences(code) == []


def sentences(code: str) -> list[str]:
    """Return the strings of a script that read like English: several words, or one with a full stop."""
    return re.findall(r"""["'`]([A-Z][a-z]+(?: [A-Za-z$({][^"'`]*|[.!?…]))["'`]""", code)


def test_sentences_in_a_script_are_found() -> None:
    assert sentences('say("Copied."); say(`Sent to ${n} people`)') == ["Copied.", "Sent to ${n} people"]
    assert sentences('key === "Escape" && say(words("TooMany"))') == []


# Read by programmers, and by administrators at a terminal.
IN_ENGLISH = ("/api/", "/management/", "operations/backup/")


def refusals() -> set[str]:
    """Names of the exceptions whose messages people read."""
    names, left = set(), [Refused]
    while left:
        kind = left.pop()
        names.add(kind.__name__)
        left += kind.__subclasses__()
    return names


def untranslated_calls(source: Source, names: set[str]) -> Iterator[str]:
    for call, text in source.calls():
        name = text.rpartition(".")[2]
        said: list[ast.expr] = []
        if (name in names or text.startswith("messages.")) and len(call.args) > 1:
            said = [call.args[1]]
        elif source.name.endswith("forms.py"):
            said = [word.value for word in call.keywords if word.arg in ("label", "help_text", "empty_label")]
        for node in said:
            plain = isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value
            if plain or isinstance(node, ast.JoinedStr):
                yield f"{source.name}:{call.lineno} {ast.unparse(node)[:70]}"


def test_no_sentence_for_people_in_the_code_escapes_translation() -> None:
    found = [
        call
        for source in sources("diagnosis", "reading", "insight")
        if not any(part in source.name for part in IN_ENGLISH)
        for call in untranslated_calls(source, refusals())
    ]
    assert not found, "Put these into gettext:\n  " + "\n  ".join(found)


# --- Pages --------------------------------------------------------------------------------------------


class Words(HTMLParser):
    """The visible or spoken texts of a page, and attributes with a number in a local format."""

    def __init__(self) -> None:
        super().__init__()
        self.said: set[str] = set()
        self.numbers: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the texts of attributes."""
        if tag in ("script", "style", "code", "kbd"):
            self._silent += 1
        for name, value in attrs:
            if name in ("aria-label", "title", "alt", "placeholder"):
                self.said.add(" ".join((value or "").split()))
            elif name not in ("content", "href", "src", "action", "accept") and tag != "meta":
                self.numbers += [f'<{tag} {name}="{value}">'] if re.search(r"\d,\d", value or "") else []

    def handle_endtag(self, tag: str) -> None:
        """Leave an element whose text does not count."""
        if tag in ("script", "style", "code", "kbd"):
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        """Collect a text."""
        if not self._silent:
            self.said.add(" ".join(data.split()))


def pages(client: Client, opinion: Review) -> Iterator[tuple[str, Words]]:
    """Every page of the site with its texts."""
    for route in all_routes():
        if is_admin(route) or "/files/" in route.pattern or route.pattern.startswith("api"):
            continue
        answer = client.get(address(route, opinion), follow=True)
        if answer.status_code == 405 or answer["Content-Type"].partition(";")[0] != "text/html":
            continue
        words = Words()
        words.feed(answer.content.decode())
        yield route.name, words


@cache
def in_other_words(language: str) -> frozenset[str]:
    """English texts that differ in this language and are no word of it."""
    catalog = catalogues().read(language)
    texts = {message.id: message.string for message in catalog if isinstance(message.id, str)}
    return frozenset(texts) - set(texts.values()) - {""}


@pytest.mark.parametrize(("who", "language"), [("rania", "de"), ("adam", "es")])
def test_no_english_text_is_left_on_the_pages(
    client: Client, cast: Cast, review: Review, who: str, language: str
) -> None:
    person = getattr(cast, who)
    save_preferences(actor=person, language=language)
    client.force_login(person)
    left: dict[str, list[str]] = {}
    count = 0
    for name, words in pages(client, review):
        count += 1
        names = {settings.DISCLAIMER, *(colour_map.title() for colour_map in COLOUR_MAPS)}
        english = sorted((words.said & in_other_words(language)) - names)
        if english:
            left[name] = english
        assert not words.numbers, f"{name}: a number in an attribute is written for people, not for machines"
    assert count > 15
    assert left == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_disclaimer_stands_in_english_and_in_the_language(
    client: Client, cast: Cast, language: str
) -> None:
    save_preferences(actor=cast.rania, language=language)
    client.force_login(cast.rania)
    page = client.get("/studies/").content.decode()
    with translation.override(language):
        translated = translation.gettext(settings.DISCLAIMER)
    assert translated != settings.DISCLAIMER
    assert f'<span lang="en-GB">{settings.DISCLAIMER}</span>' in page
    assert translated in page
