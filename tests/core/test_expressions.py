"""EXISTS of long lists: asked of each row by itself, on every database."""

import re
from pathlib import Path

import pytest
from django.db.models import OuterRef

from core.expressions import ExistsForRow
from diagnosis.models import Prediction, Study

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def has_result() -> ExistsForRow:
    return ExistsForRow(Prediction.objects.filter(study=OuterRef("pk"), status="succeeded").order_by())


def test_it_is_a_scalar_subquery_that_postgresql_leaves_as_it_is(has_result: ExistsForRow) -> None:
    sql = str(Study.objects.filter(has_result).query)
    assert "EXISTS" not in sql
    assert "COALESCE((SELECT 1" in sql


def test_it_answers_as_exists_does_and_so_does_its_contrary(
    finished_study: Study, has_result: ExistsForRow
) -> None:
    assert list(Study.objects.filter(has_result)) == [finished_study]
    assert not Study.objects.filter(~has_result).exists()
    assert Study.objects.annotate(told=has_result).get().told is True  # type: ignore[attr-defined]
    Prediction.objects.update(
        status="failed", calibrated_probability=None, outcome="", failure_code="gave_up", cam=None
    )
    assert list(Study.objects.filter(~has_result)) == [finished_study]
    assert Study.objects.annotate(told=has_result).get().told is False  # type: ignore[attr-defined]


def test_no_room_asks_with_a_plain_exists() -> None:
    rooms = [path for room in ("diagnosis", "reading", "insight") for path in (ROOT / room).rglob("*.py")]
    plain = re.compile(r"from django\.db\.models import [^)]*?\bExists\b")
    assert [path.name for path in rooms if plain.search(path.read_text("utf-8"))] == []
