"""Known vulnerabilities of the pinned packages: none without a waiver that has a date and a reason."""

import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
WAIVERS = ROOT / "docs" / "vulnerability-waivers.txt"
_LINE = re.compile(r"(?P<id>[A-Z]+-[\w-]+)\s+(?P<until>\d{4}-\d{2}-\d{2})\s+(?P<reason>\S.*)")


def waivers(text: str, *, today: date) -> set[str]:
    """Return the identifiers that are waived today; an unreadable or expired line is a ValueError."""
    waived = set()
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        parts = _LINE.fullmatch(line.strip())
        if parts is None or date.fromisoformat(parts["until"]) < today:
            raise ValueError(line)
        waived.add(parts["id"])
    return waived


def unwaived(told: dict[str, Any], waived: set[str]) -> list[str]:
    """Return “package version identifier” of every vulnerability that pip-audit told of and nobody waived."""
    return [
        f"{package['name']} {package['version']} {found['id']}"
        for package in told["dependencies"]
        for found in package.get("vulns", [])
        if not waived & {found["id"], *found.get("aliases", [])}
    ]


def test_the_waivers_are_readable_and_none_has_expired() -> None:
    waivers(WAIVERS.read_text(encoding="utf-8"), today=date.today())


@pytest.mark.parametrize("line", ["CVE-2026-1", "CVE-2026-1 2026-01-01", "CVE-2026-1 2026-01-01 too old now"])
def test_a_waiver_without_date_or_reason_or_past_its_day_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="CVE-2026-1"):
        waivers(line, today=date(2026, 6, 1))


def test_a_vulnerability_counts_unless_it_is_waived_under_any_of_its_names() -> None:
    found = {"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1"]}
    told = {
        "dependencies": [{"name": "some", "version": "1", "vulns": [found]}, {"name": "x", "version": "2"}]
    }
    assert unwaived(told, set()) == ["some 1 PYSEC-2026-1"]
    waived = waivers("CVE-2026-1 2026-12-31 not reachable from outside", today=date(2026, 6, 1))
    assert unwaived(told, waived) == []


@pytest.mark.nightly
def test_the_pinned_packages_have_no_known_vulnerability() -> None:
    """Asks the package index; where it cannot be asked about a single package, nothing is claimed."""
    words = ["--disable-pip", "--no-deps", "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", *words, "--requirement", "requirements.txt"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    if not done.stdout.startswith("{"):
        pytest.skip(f"The package index cannot be asked: {done.stderr.strip()[-200:]}")
    told = json.loads(done.stdout)
    asked = [package for package in told["dependencies"] if "vulns" in package]
    if not asked:
        pytest.skip("The package index answers nothing about vulnerabilities here.")
    assert len(asked) > 0.9 * len(told["dependencies"]), "Most packages could not be asked about."
    assert unwaived(told, waivers(WAIVERS.read_text(encoding="utf-8"), today=date.today())) == []
