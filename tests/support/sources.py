"""The project's own Python sources, parsed once, for tests that read code instead of running it."""

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES: list[str] = _CONFIGURATION["tool"]["importlinter"]["root_packages"]
LIBRARIES = ("pneumoml", "pneumoweb")
APPS = [name for name in PACKAGES if name not in LIBRARIES]


@dataclass(frozen=True)
class Source:
    """One file. `name` is its path from the project's folder, for example audit/trail.py."""

    name: str

    @cached_property
    def text(self) -> str:
        """The file as it is."""
        return (ROOT / self.name).read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """The file, parsed."""
        return ast.parse(self.text, self.name)

    @property
    def package(self) -> str:
        """The first folder."""
        return self.name.partition("/")[0]

    def imports(self, *, top_level_only: bool = False) -> Iterator[tuple[int, str]]:
        """Give line and full name of each import; `from a import b` counts as a.b.

        What stands under `if TYPE_CHECKING:` is left out: it is not imported when the program runs.
        """
        for node in _walk(self.tree, top_level_only):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Give every function and method."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Give every call of a method or function, with its full text before the brackets."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield node, ast.unparse(node.func)


def _walk(node: ast.AST, top_level_only: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if top_level_only and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        yield child
        yield from _walk(child, top_level_only)


def sources(*folders: str) -> list[Source]:
    """Return the Python files below the given folders (without any: all packages), but no migrations."""
    found = []
    for folder in folders or PACKAGES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if "/migrations/" not in name:
                found.append(Source(name))
    return found


def is_model(source: Source) -> bool:
    """Tell whether the file says what is stored: models.py, or one of the package that takes its place."""
    return source.name.endswith("/models.py") or "/models/" in source.name


# Folders and files that speak HTTP, Celery or the command line.
_ENDPOINT_FOLDERS = {"views", "api", "admin", "management", "middleware", "templatetags"}
_ENDPOINT_FILES = {
    "tasks.py", "forms.py", "filters.py", "urls.py", "context_processors.py", "upload_handlers.py",
    "middleware.py", "admin.py", "admin_site.py",
}  # fmt: skip
# What endpoints share: who is signed in or proved a second factor, error pages.
_SHARED_BY_ENDPOINTS = {
    "core/web.py", "core/error_pages.py", "accounts/guards.py", "accounts/login_attempts.py",
    "accounts/reauthentication.py",
}  # fmt: skip


def is_endpoint(source: Source) -> bool:
    """True for what parses, calls a service and renders: views, API, forms, tasks, admin, commands, URLs."""
    parts = Path(source.name).parts
    inside = bool(_ENDPOINT_FOLDERS & set(parts[1:-1]))
    return inside or parts[-1] in _ENDPOINT_FILES or source.name in _SHARED_BY_ENDPOINTS
