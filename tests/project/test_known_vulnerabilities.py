"""Known vulnerabilities of the pinned packages: none without a dated waiver; ruff's security rules."""

import json
import re
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
WAIVERS = ROOT / "docs" / "vulnerability-waivers.txt"
CANARY = "django==3.2.0"
PROVES_NOTHING = (
    "NOT AUDITED: the package index of this machine has no data about vulnerabilities. Run it where it has: "
    "python -m pytest -m nightly tests/project/test_known_vulnerabilities.py (docs/security.md)."
)
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


def audited(requirements: Path) -> list[dict[str, Any]]:
    """Ask the package index about each pinned package; skips the test where it cannot be asked."""
    words = ["--disable-pip", "--no-deps", "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", *words, "--requirement", str(requirements)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    if not done.stdout.startswith("{"):
        pytest.skip(f"{PROVES_NOTHING} It cannot be asked: {done.stderr.strip()[-200:]}")
    packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    return packages


@pytest.mark.nightly
def test_the_pinned_packages_have_no_known_vulnerability(tmp_path: Path) -> None:
    """First a version known to be vulnerable: an index that finds nothing wrong with it knows nothing."""
    canary = tmp_path / "canary.txt"
    canary.write_text(f"{CANARY}\n", encoding="utf-8")
    if not any(package.get("vulns") for package in audited(canary)):
        pytest.skip(f"{PROVES_NOTHING} It knows of no vulnerability in {CANARY}.")
    packages = audited(ROOT / "requirements.txt")
    asked = [package for package in packages if "vulns" in package]
    assert len(asked) > 0.9 * len(packages), "Most packages could not be asked about."
    told = {"dependencies": packages}
    assert unwaived(told, waivers(WAIVERS.read_text(encoding="utf-8"), today=date.today())) == []


# --- What ruff looks for in our own code ----------------------------------------------------------------


def test_ruffs_security_rules_hold_for_the_program_and_only_named_files_may_start_others() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    assert not [code for code in lint["ignore"] if code.startswith("S") and code[1:].isdigit()]
    excepted = {
        file: {code for code in codes if re.fullmatch(r"S\d*", code)}
        for file, codes in lint["per-file-ignores"].items()
        if not file.startswith(("tests/", "benchmarks/", "scripts/"))
    }
    assert all(codes <= {"S603", "S607"} for codes in excepted.values()), excepted
    assert not [file for file, codes in excepted.items() if codes and "*" in file]
