"""The documents agree with the tree: paths they name exist, links lead somewhere, the picture is true."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.sources import PACKAGES, ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
OLD = {"CHANGELOG.md"}  # tells of files as they were
PATH = re.compile(rf"`((?:{'|'.join([*PACKAGES, 'tests', 'scripts', 'docs', 'benchmarks'])})/[\w/.-]+)`")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_names_only_what_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = [link for link in LINK.findall(text) if not (document.parent / link).exists()]
    paths = (
        []
        if document.name in OLD
        else [path for path in PATH.findall(text) if "CODE" not in path and not (ROOT / path).exists()]
    )
    assert (links, paths) == ([], [])


def test_the_picture_of_the_packages_is_drawn_from_todays_imports() -> None:
    command = [sys.executable, "-m", "scripts.draw_architecture", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
