"""Which processes an installation has, and that supervisor reads their configuration back unharmed."""

from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from pneumoweb.runtime import supervise
from pneumoweb.runtime.processes import Site, WorkersError, processes, site_from, supervisor_config

ROOT = Path(__file__).resolve().parents[3]


def site(tmp_path: Path, **variables: str) -> Site:
    """The installation that these variables describe, with its folders."""
    found = site_from({"PNEUMOWEB_VAR": str(tmp_path / "100% my data"), **variables}, ROOT)
    found.logs.mkdir(parents=True)
    return found


def commands_read_back(found: Site) -> dict[str, str]:
    """Return each program's command and log file as supervisor understands the configuration."""
    path = found.var / "supervisord.conf"
    path.write_text(supervisor_config(found), encoding="utf-8")
    options = ServerOptions()
    options.realize(["-c", str(path)])
    programs = [program for group in options.process_group_configs for program in group.process_configs]
    assert all(program.autorestart for program in programs)
    assert all(program.directory == str(ROOT) for program in programs)
    assert {program.stdout_logfile for program in programs} == {
        str(found.logs / f"{program.name}.log") for program in programs
    }
    return {program.name: program.command for program in programs}


def test_the_default_installation_has_its_own_broker(tmp_path: Path) -> None:
    found = site(tmp_path)
    commands = commands_read_back(found)
    assert list(commands) == ["broker", "web", "worker", "clock"]
    assert f'"{found.var}"' in commands["broker"]
    assert '"--bind" "127.0.0.1:8000"' in commands["web"]
    assert '"--pool" "prefork" "--concurrency" "1"' in commands["worker"]
    assert [name for name, command in commands.items() if 'nice" "-n" "10"' in command] == ["clock"]


def test_several_workers_share_out_the_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 3, 5})
    found = site(tmp_path, WORKERS="2")
    commands = commands_read_back(found)
    assert list(commands) == ["broker", "web", "worker", "worker-2", "clock"]
    assert '"--cpu-list" "0,1"' in commands["worker"]
    assert '"--cpu-list" "2,3,5"' in commands["worker-2"]
    assert '"--hostname" "worker2@%h"' in commands["worker-2"]
    threads = [process.variables["TF_NUM_INTRAOP_THREADS"] for process in processes(found)[2:4]]
    assert threads == ["2", "3"]
    assert "cpu-list" not in commands_read_back(site(tmp_path / "one"))["worker"]


@pytest.mark.parametrize("workers", ["0", "6", "two", "-1", "1.5", "²"])
def test_more_workers_than_cores_or_none_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 3, 5})
    with pytest.raises(WorkersError, match="a number from 1 to 5"):
        site(tmp_path, WORKERS=workers)


def test_a_configured_broker_replaces_the_embedded_one(tmp_path: Path) -> None:
    commands = commands_read_back(site(tmp_path, CELERY_BROKER_URL="redis://localhost"))
    assert list(commands) == ["web", "worker", "clock"]


def test_a_server_that_does_not_run_here_stops_the_start_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pneumoweb.runtime.broker.valkey_binary", lambda: tmp_path / "not-there")
    monkeypatch.setenv("CELERY_BROKER_URL", "")
    monkeypatch.setenv("PNEUMOWEB_VAR", str(tmp_path))
    assert supervise.main() == 1
    told = capsys.readouterr().err
    assert "The embedded Valkey server does not run on this machine." in told
    assert "CELERY_BROKER_URL=redis://" in told


def test_secrets_of_the_environment_are_not_written_down(tmp_path: Path) -> None:
    found = site(tmp_path, CELERY_BROKER_URL="redis://:tell-nobody@host", SECRET_KEY="tell-nobody")
    assert "tell-nobody" not in supervisor_config(found)


@pytest.mark.parametrize(
    ("allowed", "name"),
    [("", "localhost"), ("localhost,a.org", "localhost"), (".b.org, a.org", "a.org"), ("*", "localhost")],
)
def test_the_site_asks_itself_under_a_name_that_it_accepts(tmp_path: Path, allowed: str, name: str) -> None:
    assert site(tmp_path, ALLOWED_HOSTS=allowed).name == name


def test_an_ipv6_address_is_written_in_brackets(tmp_path: Path) -> None:
    assert site(tmp_path, HOST="::1", PORT="8080").address == "[::1]:8080"
