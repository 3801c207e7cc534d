"""The settings and their list of variables agree, and the secret key is made once."""

import ast
import os
import re
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from django.conf import settings

from core.secrets import load_or_create_secret
from pneumoweb.runtime.bootstrap import read_dotenv

ROOT = Path(__file__).resolve().parents[2]
# Read before Django starts: by run.sh, bootstrap.py, processes.py and setup_site.
READ_BY_THE_START = {
    "PORT",
    "HOST",
    "PYTHON",
    "DJANGO_SUPERUSER_USERNAME",
    "DJANGO_SUPERUSER_PASSWORD",
    "WORKERS",
}


def variables_that_settings_read() -> set[str]:
    """Return the names in every `env.xxx("NAME", …)` call of settings.py."""
    tree = ast.parse((ROOT / "pneumoweb" / "settings.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {
        call.args[0].value
        for call in calls
        if re.fullmatch(r"env\.\w+", ast.unparse(call.func))
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


def test_env_example_lists_every_variable_and_no_other() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    listed = set(re.findall(r"^(?:# )?([A-Z][A-Z_0-9]*)=", text, flags=re.MULTILINE))
    assert listed == variables_that_settings_read() | READ_BY_THE_START


def test_the_variables_of_the_start_are_really_read() -> None:
    files = [
        "run.sh",
        "pneumoweb/runtime/find_python.sh",
        "pneumoweb/runtime/bootstrap.py",
        "pneumoweb/runtime/processes.py",
    ]
    files.append("operations/management/commands/setup_site.py")
    text = "".join((ROOT / name).read_text(encoding="utf-8") for name in files)
    assert {name for name in READ_BY_THE_START if name not in text} == set()


def settings_seen_with(variables: dict[str, str], var: Path) -> str:
    """Return every setting as text, as a fresh process sees it with these variables and no others."""
    script = (
        "import pneumoweb.settings as s; "
        "print({k: v for k, v in vars(s).items() if k.isupper() and k != 'SECRET_KEY'})"
    )
    base = {"PATH": os.environ["PATH"], "PNEUMOWEB_VAR": str(var), "PNEUMOWEB_ENV_FILE": os.devnull}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, env=variables | base, capture_output=True, text=True, check=True)
    return done.stdout


def test_env_example_used_as_it_is_changes_nothing(tmp_path: Path) -> None:
    example = read_dotenv(ROOT / ".env.example")
    assert "PORT" in example
    assert settings_seen_with(example, tmp_path) == settings_seen_with({}, tmp_path)


def test_what_is_shipped_is_safe_without_any_variable(tmp_path: Path) -> None:
    seen = settings_seen_with({}, tmp_path)
    for safe in (
        "'DEBUG': False",
        "'ADMIN_SECOND_FACTOR': True",
        "'AXES_FAILURE_LIMIT': 5",
        "'ALLOWED_HOSTS': ['localhost', '127.0.0.1', '[::1]']",
        "'PASSWORD_HASHERS': ['django.contrib.auth.hashers.Argon2PasswordHasher'",
        "'NUM_PROXIES': 0",
        "'URL_INTAKE_ALLOWED_HOSTS': []",
    ):
        assert safe in seen, safe


def test_options_in_the_databases_address_win_over_ours(tmp_path: Path) -> None:
    def options(address: str) -> str:
        seen = settings_seen_with({"DATABASE_URL": address}, tmp_path)
        return seen[seen.index("'OPTIONS': {'connect_timeout'") :]

    assert options("postgres://host/name").startswith("'OPTIONS': {'connect_timeout': 5,")
    assert options("postgres://host/name?connect_timeout=9").startswith("'OPTIONS': {'connect_timeout': 9,")


def test_the_secret_key_is_the_same_for_all_processes_and_private(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    with ProcessPoolExecutor(4) as starters:
        keys = set(starters.map(load_or_create_secret, [path] * 8))
    assert keys == {load_or_create_secret(path)}
    assert len(keys.pop()) > 60
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_tests_settings_come_from_no_env_file_no_shell_and_no_installation(tmp_path: Path) -> None:
    hostile = tmp_path / "hostile.env"
    hostile.write_text("DEBUG=true\nTIME_ZONE=Mars/Olympus\nDATABASE_URL=postgres://x/y\n", encoding="utf-8")
    variables = {
        "PATH": os.environ["PATH"],
        "PNEUMOWEB_ENV_FILE": str(hostile),
        "PNEUMOWEB_VAR": str(tmp_path / "installation"),
        "MAX_UPLOAD_MB": "1",
        "TMPDIR": str(tmp_path),
    }
    script = "import tests.settings as s; print(s.VAR_DIR, s.DEBUG, s.TIME_ZONE, s.MAX_UPLOAD_BYTES)"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=True)
    var, *others = done.stdout.split()
    assert Path(var).name.startswith("pneumoweb-tests-")
    assert others == ["False", "UTC", str(50 * 1024 * 1024)]
    assert not (tmp_path / "installation").exists()


def test_this_very_run_reads_the_tests_settings() -> None:
    assert os.environ["DJANGO_SETTINGS_MODULE"] == "tests.settings"
    assert settings.VAR_DIR.name.startswith("pneumoweb-tests-")
