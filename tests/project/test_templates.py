"""Templates stay readable: no line is longer than 160 characters."""

from pathlib import Path

import pytest

from tests.support.sources import ROOT

LONGEST = 160
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_line_of_a_template_is_too_long(template: Path) -> None:
    lines = template.read_text(encoding="utf-8").splitlines()
    assert [number for number, line in enumerate(lines, start=1) if len(line) > LONGEST] == []
