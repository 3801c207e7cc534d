"""What people and programs see is unchanged since 0.1.0: every answer equals the stored one.

After an intended change: `.venv/bin/python -m tests.upgrade.renew`, then read `git diff`.
"""

import difflib
from pathlib import Path

import pytest

from tests.upgrade.renew import ANSWERS, PARTS, collect

RENEW = "If that is intended: .venv/bin/python -m tests.upgrade.renew, then read what git diff says."
MOST_LINES = 12  # of each answer that differs
MOST_ANSWERS = 25
# Each is one process, so that two can run at the same time.
TOGETHER = (("pages",), ("itself", "api", "administration", "reader"))


def test_every_part_is_compared() -> None:
    assert sorted(part for parts in TOGETHER for part in parts) == sorted(PARTS)
    assert sorted(path.name for path in ANSWERS.iterdir()) == sorted(PARTS)


@pytest.mark.parametrize("parts", TOGETHER, ids="-".join)
def test_every_answer_equals_the_stored_one(parts: tuple[str, ...], tmp_path: Path) -> None:
    count = collect(*parts, scratch=tmp_path, into=tmp_path / "now")
    assert count > 80
    then, now = answers(ANSWERS, parts), answers(tmp_path / "now", parts)
    differ = [name for name in sorted({**then, **now}) if then.get(name) != now.get(name)]
    told = [difference(name, then.get(name), now.get(name)) for name in differ[:MOST_ANSWERS]]
    assert not differ, "\n".join([f"{len(differ)} of {len(then)} answers differ.", *told, RENEW])


def answers(folder: Path, parts: tuple[str, ...]) -> dict[str, bytes]:
    """Return the files of these parts by name."""
    files = (path for part in parts for path in sorted((folder / part).rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def difference(name: str, then: bytes | None, now: bytes | None) -> str:
    """Return the first lines that differ in an answer."""
    if then is None or now is None:
        return f"--- {name}: {'not stored' if then is None else 'no longer there'}"
    lines = list(difflib.unified_diff(_lines(then), _lines(now), "then", "now", n=0, lineterm=""))[2:]
    more = [f"… and {len(lines) - MOST_LINES} lines more"] if len(lines) > MOST_LINES else []
    return "\n".join([f"--- {name}", *lines[:MOST_LINES], *more])


def _lines(text: bytes) -> list[str]:
    return [repr(line)[1:-1] for line in text.decode().split("\n")]
