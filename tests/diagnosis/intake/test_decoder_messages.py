"""What the library says is said in the person's language; no sentence of it is forgotten."""

import ast
from collections.abc import Iterator

import pytest
from django.utils import translation

from diagnosis.intake.decoder_messages import known, said
from pneumoml.explain import heatmap
from tests.support.sources import sources

READS_FILMS = ("images", "headers", "film", "dicom", "dicom_meta", "dicom_pixels", "isolation")
REFUSALS = {"ImageRefused", "DecoderUnavailable"}


def sentences() -> Iterator[str]:
    """Every sentence of a refusal in the library, a 7 in place of what varies."""
    for source in sources("pneumoml"):
        if source.name.removeprefix("pneumoml/").removesuffix(".py") not in READS_FILMS:
            continue
        constants = {
            target.id: node.value.value
            for node in source.tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call, text in source.calls():
            if text in REFUSALS and len(call.args) == 2 and not isinstance(call.args[1], ast.Call):
                yield written(call.args[1], constants)


def written(node: ast.expr, constants: dict[str, object]) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Name):
        return str(constants[node.id])
    assert isinstance(node, ast.JoinedStr), ast.unparse(node)
    parts = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value))
        else:
            assert isinstance(part, ast.FormattedValue)
            parts.append(str(constants.get(ast.unparse(part.value), 7)))
    return "".join(parts)


def test_every_sentence_with_which_the_library_refuses_a_film_can_be_translated() -> None:
    found = list(sentences())
    assert len(found) > 25
    assert [sentence for sentence in found if not known(sentence)] == []


def test_what_varies_in_a_sentence_stays_in_it() -> None:
    sentence = "The picture is 12 × 9 pixels; a film needs at least 64 a side."
    assert said(sentence) == sentence
    with translation.override("de"):
        in_german = said(sentence)
    assert in_german != sentence
    assert "12 × 9" in in_german
    assert "64" in in_german


@pytest.mark.parametrize("word", [word for _, word in heatmap._STRENGTH_WORDS])
def test_the_strength_of_a_map_has_a_word_in_german(word: str) -> None:
    with translation.override("de"):
        assert translation.gettext(word) != word


def test_a_sentence_that_a_worker_stored_in_english_is_said_in_german() -> None:
    with translation.override("de"):
        assert said("This file is damaged inside the archive.").startswith("Diese Datei ist im Archiv")


def test_an_unknown_sentence_stays_as_it_is() -> None:
    with translation.override("de"):
        assert said("Something new. 100%") == "Something new. 100%"
        assert said("") == ""
