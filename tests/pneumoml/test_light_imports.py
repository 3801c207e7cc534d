"""The library stays light and independent: no TensorFlow at import, no Django, no environment variables."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sources import PACKAGES

PACKAGE = Path(__file__).resolve().parents[2] / "pneumoml"
MODULES = sorted(PACKAGE.rglob("*.py"))
FORBIDDEN = {
    "django",
    "rest_framework",
    "celery",
    "kombu",
    "environ",
    *PACKAGES,
} - {"pneumoml"}
LIGHT = [
    "decoding.images",
    "decoding.headers",
    "decoding.sandbox",
    "decoding.sandbox_server",
    "imaging.preprocess",
    "cards.artifact",
    "cards.card",
    "explain.heatmap",
    "explain.gradcam",
    "network.predictor",
]


@pytest.mark.parametrize("module", LIGHT)
def test_light_module_does_not_load_tensorflow(module: str) -> None:
    code = (
        f"import sys, pneumoml.{module}; "
        "print(sorted({'tensorflow', 'keras', 'h5py', 'django', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == "[]"


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield node.module or ""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_module_imports_no_web_framework_and_no_app(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports(ast.parse(path.read_text()))}
    assert not roots & FORBIDDEN


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_module_reads_no_environment_variable(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        assert name not in ("environ", "environb", "getenv", "getenvb", "load_dotenv"), ast.unparse(node)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_module_says_what_belongs_in_it(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))
