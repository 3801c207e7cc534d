"""The container files agree with the project: what they copy exists, what they run is what run.sh runs."""

import re
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml

from pneumoweb.runtime.processes import processes, site_from
from tests.support.sources import PACKAGES, ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")


@pytest.fixture
def compose() -> Any:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


def stage(name: str) -> str:
    """Return the instructions of one stage."""
    return DOCKERFILE.partition(f" AS {name}\n")[2].partition("\nFROM ")[0]


def own(compose: Any) -> dict[str, Any]:
    """Return the services that run our images."""
    return {name: service for name, service in compose["services"].items() if "build" in service}


def test_the_image_holds_our_packages_and_nothing_that_does_not_belong_there() -> None:
    first, *rest = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()[1:]
    let_through = {line.removeprefix("!") for line in rest if line.startswith("!")}
    others = {
        "requirements.txt",
        "requirements-web.txt",
        "manage.py",
        "LICENSE",
        "locale",
        "templates",
        "static",
    }
    assert first == "*"
    assert let_through == {*PACKAGES, *others}
    assert [path for path in let_through if not (ROOT / path).exists()] == []
    assert "COPY . .\n" in stage("base")


def test_the_image_does_not_run_as_root() -> None:
    assert re.search(r"^USER pneumoweb$", DOCKERFILE, re.MULTILINE)
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["pneumoweb"]


def test_targets_named_by_compose_exist_and_are_health_checked(compose: Any) -> None:
    built = {service["build"]["target"] for service in compose["services"].values() if "build" in service}
    for target in built:
        assert "HEALTHCHECK" in stage(target)
        assert "CMD" in stage(target)


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
            r"--(?:worker-class|pool|concurrency|app|graceful-timeout|timeout|keep-alive) \S+", command
        ):
            assert option in ours[name], f"{name}: {option}"


def _words(array: str) -> str:
    return " ".join(yaml.safe_load(array))


def test_only_the_loopback_is_published_and_passwords_have_no_default(compose: Any) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports == ["127.0.0.1:${PORT:-8000}:8000"]
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{POSTGRES_PASSWORD([^}]*)\}", text)) == {":?set POSTGRES_PASSWORD in .env"}


def test_compose_is_what_the_specification_allows() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    filled_in = re.sub(r"\$\{\w+:-(\w+)\}|\$\{\w+:\?[^}]+\}", lambda found: found[1] or "given", text)
    options = compose_spec.PyOptions()
    options.apply_merge = True
    options.from_yaml(filled_in).validate()
    with pytest.raises(ValueError, match="read_onyl"):
        options.from_yaml(filled_in.replace("read_only", "read_onyl"))


def test_our_containers_can_change_nothing_but_their_data(compose: Any) -> None:
    for name, service in own(compose).items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert [volume for volume in service["volumes"] if not volume.startswith("data:")] == [], name
        assert not {"privileged", "cap_add", "network_mode", "pid"} & service.keys(), name


def test_as_many_workers_as_wanted_can_be_started(compose: Any) -> None:
    assert not {"container_name", "hostname", "ports"} & compose["services"]["worker"].keys()
    assert "beat" not in compose["services"]["worker"].get("command", "")


def test_database_and_messages_are_on_a_network_without_a_way_out(compose: Any) -> None:
    assert compose["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "redis"):
        assert compose["services"][name]["networks"] == ["inside"]
        assert "ports" not in compose["services"][name]
        assert re.search(r":(?!latest)\w", compose["services"][name]["image"])


def test_no_secret_is_written_into_an_image() -> None:
    assert re.findall(r"(?i)^(?:ENV|ARG).*(?:password|secret|token|key)", DOCKERFILE, re.MULTILINE) == []
    assert re.findall(r"^ADD ", DOCKERFILE, re.MULTILINE) == []


def pins(name: str) -> set[str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][\w.-]*==\S+)", text, re.MULTILINE))


def test_web_has_the_pinned_packages_without_tensorflow() -> None:
    left_out = {pin.partition("==")[0] for pin in pins("requirements.txt") - pins("requirements-web.txt")}
    assert pins("requirements-web.txt") < pins("requirements.txt")
    assert {"tensorflow", "keras"} <= left_out
    assert "requirements-web.txt" in stage("web-packages")
    assert re.search(r"^COPY --from=web-packages /venv /venv$", stage("web"), re.MULTILINE)
    assert re.search(r"^COPY --from=worker-packages /venv /venv$", stage("worker"), re.MULTILINE)


def test_every_package_is_checked_against_its_hash() -> None:
    installs = re.findall(r"pip install (.+)$", DOCKERFILE, re.MULTILINE)
    assert len(installs) == 2
    assert all("--require-hashes" in options for options in installs)
