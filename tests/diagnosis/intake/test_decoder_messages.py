"""Refusals of the decoder are shown in the person's language; none of its templates lacks a translation."""

import ast
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.utils import translation

from diagnosis.intake.decoder_messages import TEMPLATES, translated
from diagnosis.models import Batch, BatchItem
from diagnosis.templatetags.formatting import refusal_text
from pneumoml.decoding.headers import ImageRefused
from pneumoml.explain import heatmap
from tests.support.cast import Cast
from tests.support.sources import sources

REFUSALS = {"ImageRefused", "DecoderUnavailable"}
PARAMS: dict[str, Any] = {
    "limit": 50,
    "count": 3,
    "format": "PNG",
    "width": 12,
    "height": 9,
    "least": 64,
    "side": 10_000,
    "all": 40,
    "kind": "a mammogram",
}
ALL = [(code, template) for code, templates in TEMPLATES.items() for template in templates]


def raised() -> Iterator[tuple[str, str]]:
    """The code and the template of every refusal in the library's source."""
    for source in sources("pneumoml/decoding"):
        for function in source.functions():
            texts = {
                node.targets[0].id: node.value.value
                for node in ast.walk(function)
                if isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Name)
                and isinstance(node.value, ast.Constant)
            }
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and ast.unparse(call.func) in REFUSALS:
                    if isinstance(call.args[0], ast.Call):  # a reply of the sandbox, passed on
                        continue
                    code, template = call.args[:2]
                    assert isinstance(code, ast.Constant), ast.unparse(call)
                    text = (
                        texts[template.id] if isinstance(template, ast.Name) else ast.literal_eval(template)
                    )
                    yield str(code.value), str(text)


def params_of(template: str) -> dict[str, Any]:
    return {name: value for name, value in PARAMS.items() if f"%({name})s" in template}


def test_the_templates_are_those_of_the_library() -> None:
    assert set(raised()) == set(ALL)


@pytest.mark.parametrize(("code", "template"), ALL)
def test_every_refusal_is_translated(code: str, template: str) -> None:
    refusal = ImageRefused(code, template, params_of(template))
    with translation.override("en"):
        assert translated(code, refusal.message, refusal.params) == refusal.message
    for language in ("de", "es"):
        with translation.override(language):
            params = {name: translation.gettext(str(value)) for name, value in refusal.params.items()}
            text = translated(code, refusal.message, refusal.params)
            assert text == translation.gettext(template) % params
        assert text != refusal.message
        assert "%(" not in text
        assert all(value in text for value in params.values())


def test_texts_with_parameters_in_german_and_spanish() -> None:
    (template,) = TEMPLATES["dicom_modality"]
    params = {"kind": "a mammogram"}
    with translation.override("de"):
        assert "eine Mammographie" in translated("dicom_modality", template % params, params)
    with translation.override("es"):
        assert "una mamografía" in translated("dicom_modality", template % params, params)


@pytest.mark.parametrize("word", [word for _, word in heatmap._STRENGTH_WORDS])
def test_the_strength_of_a_map_has_a_word_in_german(word: str) -> None:
    with translation.override("de"):
        assert translation.gettext(word) != word


def test_a_refusal_that_a_worker_stored_in_english_is_shown_in_german() -> None:
    params = {"width": 12, "height": 9, "least": 64}
    of_archive = BatchItem(code="zip_damaged", message="This file is damaged inside the archive.")
    item = BatchItem(code="too_small", message=TEMPLATES["too_small"][0] % params, params=params)
    with translation.override("de"):
        in_german = refusal_text(item)
        assert refusal_text(of_archive).startswith("Diese Datei ist im Archiv")
    assert in_german != item.message
    assert "12 × 9" in in_german


def test_a_code_shared_with_an_archive_keeps_the_archives_message() -> None:
    message = "A film may have at most 50 MB. This one is larger."
    assert translated("file_too_large", message, {}) == message


def test_an_unlisted_message_stays_as_it_is() -> None:
    with translation.override("de"):
        assert translated("new", "Something new. 100%", {}) == "Something new. 100%"
        assert translated("", "", {}) == ""


def test_rows_of_the_first_version_get_their_params(cast: Cast) -> None:
    batch = Batch.objects.create(project=cast.project, created_by=cast.alice, source="zip", state="finished")
    expected = {}
    for position, (code, template) in enumerate(ALL, start=1):
        params = {name: str(value) for name, value in params_of(template).items()}
        batch.items.create(
            position=position, byte_size=1, outcome="refused", code=code, message=template % params
        )
        expected[position] = params
    migration = import_module("diagnosis.migrations.0018_batchitem_params")
    migration.keep_params(apps, connection.schema_editor())
    assert dict(batch.items.values_list("position", "params")) == expected
