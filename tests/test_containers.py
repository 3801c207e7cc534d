"""The container files agree with the project: what they copy exists, what they run is what run.sh runs."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from pneumoweb.processes import processes, site_from

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")


@pytest.fixture
def compose() -> Any:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


def test_every_copied_path_exists_and_is_let_through_to_the_build() -> None:
    let_through = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    copied = [
        word for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE) for word in line.split()[:-1]
    ]
    assert sorted(let_through) == sorted(copied)
    assert [path for path in copied if not (ROOT / path).exists()] == []


def test_every_application_of_ours_is_in_the_image() -> None:
    copied = set(re.findall(r"^COPY (\w+) \1$", DOCKERFILE, re.MULTILINE))
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert packages <= copied


def test_the_image_does_not_run_as_root() -> None:
    assert re.search(r"^USER pneumoweb$", DOCKERFILE, re.MULTILINE)
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["pneumoweb"]


def test_targets_named_by_compose_exist_and_are_health_checked(compose: Any) -> None:
    built = {service["build"]["target"] for service in compose["services"].values() if "build" in service}
    for target in built:
        part = DOCKERFILE.partition(f" AS {target}\n")[2].partition("\nFROM ")[0]
        assert "HEALTHCHECK" in part
        assert "CMD" in part


def test_containers_run_the_same_programs_as_run_sh(compose: Any, tmp_path: Path) -> None:
    site = site_from({"PNEUMOWEB_VAR": str(tmp_path), "CELERY_BROKER_URL": "redis://redis"}, ROOT)
    ours = {process.name: " ".join(process.command) for process in processes(site)}
    containers = {
        "web": _words(re.findall(r"^CMD (\[.+\])$", DOCKERFILE, re.MULTILINE)[0]),
        "worker": _words(re.findall(r"^CMD (\[.+\])$", DOCKERFILE, re.MULTILINE)[1]),
        "clock": compose["services"]["beat"]["command"],
    }
    assert containers.keys() == ours.keys()
    for name, command in containers.items():
        for option in re.findall(
            r"--(?:worker-class|pool|concurrency|app|graceful-timeout|timeout) \S+", command
        ):
            assert option in ours[name], f"{name}: {option}"


def _words(array: str) -> str:
    return " ".join(yaml.safe_load(array))


def test_only_the_loopback_is_published_and_passwords_have_no_default(compose: Any) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports == ["127.0.0.1:${PORT:-8000}:8000"]
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{POSTGRES_PASSWORD([^}]*)\}", text)) == {":?set POSTGRES_PASSWORD in .env"}
