"""Print the figures that docs/architecture.md compares: python scripts/yardstick.py"""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    "pneumoml",
    "core",
    "audit",
    "accounts",
    "diagnosis",
    "reading",
    "insight",
    "operations",
    "pneumoweb",
)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources(*folders: str) -> list[Path]:
    """All Python files of these folders but migrations."""
    found = (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))
    return [path for path in found if "migrations" not in path.parts]


def functions(path: Path) -> Iterator[Function]:
    """Every function and method of a file."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, Function):
            yield node


def lines(path: Path) -> int:
    """Lines of a file."""
    return len(path.read_text("utf-8").splitlines())


def length(function: Function) -> int:
    """Lines of a function from its "def" to its end."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def share(part: int, whole: int) -> str:
    """A share in per cent."""
    return f"{part / whole:.0%}"


def main() -> None:
    """Measure and print."""
    code, tests = sources(*PACKAGES), sources("tests")
    every = [function for path in code for function in functions(path)]
    public = [function for function in every if not function.name.startswith("_")]
    lengths = sorted(length(function) for function in every)
    largest, longest_test = max(code, key=lines), max(tests, key=lines)
    longest = max(every, key=length)
    tasks = [length(function) for function in functions(ROOT / "diagnosis" / "tasks.py")]
    print(f"code files {len(code)}, lines {sum(map(lines, code))}; test files {len(tests)}")
    print(f"largest code file {largest.relative_to(ROOT)} {lines(largest)}")
    print(f"median file {statistics.median(map(lines, code)):.0f}")
    p90 = lengths[int(0.9 * (len(lengths) - 1))]
    print(
        f"functions {len(every)}: median {statistics.median(lengths):.0f}, p90 {p90}, longest {lengths[-1]}"
    )
    print(f"longest function {longest.name}")
    print(f"longest task {max(tasks)}")
    print(f"return types {share(sum(one.returns is not None for one in every), len(every))}")
    print(f"docstrings of all {share(sum(bool(ast.get_docstring(one)) for one in every), len(every))}")
    print(f"docstrings of public {share(sum(bool(ast.get_docstring(one)) for one in public), len(public))}")
    print(f"largest test file {longest_test.relative_to(ROOT)} {lines(longest_test)}")
    print(f"settings {lines(ROOT / 'pneumoweb' / 'settings.py')} lines")


if __name__ == "__main__":
    main()
