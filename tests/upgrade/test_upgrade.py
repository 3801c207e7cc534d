"""An installation of 0.1.0 is upgraded by `migrate` and by `restore`, and nothing is lost."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.upgrade import past
from tests.upgrade.installation import (
    Installation,
    stored_on_postgresql,
    stored_on_sqlite,
    unpacked_backup,
)

EXPECTED: dict[str, Any] = json.loads(past.EXPECTED.read_text(encoding="utf-8"))
# Today's names of tables that were renamed since.
NEW_NAMES: dict[str, str] = {}
GOING_ON = {
    "sign-in admin": 200,
    "sign-in locum": 302,  # closed
    "sign-in auditor": [302, 200],  # before and after the code of the authenticator app
    "token nurse": 200,
    "token radiologist": 200,
    "token auditor": 200,
    "token over": 401,
    "token without the scope": 403,
    "film sent again": [200, "PW-000042"],
    "film sent": [201, "PW-000043"],
    "film read": [201, 0, 1],
}
Told = Iterator[tuple[str, object]]


# One test for each way, so that no two tests upgrade the same installation.


def test_an_installation_on_sqlite_is_migrated(tmp_path: Path) -> None:
    installation = stored_on_sqlite(tmp_path / "var")
    installation.manage("migrate", "--no-input", "--verbosity", "0")
    nothing_is_lost(installation, "sqlite")


def test_an_installation_on_postgresql_is_migrated(tmp_path: Path, own_postgres_url: str) -> None:
    installation = stored_on_postgresql(tmp_path / "var", own_postgres_url)
    installation.manage("migrate", "--no-input", "--verbosity", "0")
    nothing_is_lost(installation, "postgresql")


def test_a_backup_is_restored_into_sqlite(tmp_path: Path) -> None:
    nothing_is_lost(restored(tmp_path), "sqlite", left_out=past.NOT_BACKED_UP)


def test_a_backup_is_restored_into_postgresql_that_was_migrated_already(
    tmp_path: Path, own_postgres_url: str
) -> None:
    installation = restored(tmp_path, own_postgres_url, migrated=True)
    nothing_is_lost(installation, "postgresql", left_out=past.NOT_BACKED_UP)


def restored(folder: Path, database_url: str = "", *, migrated: bool = False) -> Installation:
    """Restore the stored backup into a new installation, whose database has tables if `migrated`."""
    installation = Installation(folder / "var", database_url)
    installation.prepare()
    if migrated:
        installation.manage("migrate", "--no-input", "--verbosity", "0")
    said = installation.manage("restore", str(unpacked_backup(folder)))
    assert f"{EXPECTED['audit']['events']}:{EXPECTED['audit']['head']}" in said
    return installation


def nothing_is_lost(installation: Installation, vendor: str, *, left_out: tuple[str, ...] = ()) -> None:
    """Fail with everything that differs from what 0.1.0 held."""
    films = installation.films()
    found = installation.look("inside")
    told = [
        *_tables(found["contents"]["tables"], left_out),
        *_permissions(found["contents"]["permissions"]),
        *_at_work(found, vendor),
        *_films(films, found["storage"]),
        *_trail(found),
        *_compared("going on", GOING_ON, found["going_on"]),
        ("left to migrate", found["left_to_migrate"]),
    ]
    assert len(told) > 100
    faults = [f"{what}: {fault}" for what, fault in told if fault]
    assert not faults, "\n".join(faults)


def _compared(what: str, then: object, now: object) -> Told:
    yield what, "" if then == now else {"then": then, "now": now}


def _tables(now: dict[str, Any], left_out: tuple[str, ...]) -> Told:
    for name, table in EXPECTED["tables"].items():
        if name not in left_out:
            yield f"table {name}", _difference(table, now.get(NEW_NAMES.get(name, name)))


def _difference(then: dict[str, Any], now: dict[str, Any] | None) -> str:
    if now is None:
        return "there is no model of this table"
    if then["rows"] != now["rows"]:
        return f"{then['rows']} rows then, {now['rows']} now"
    columns = [name for name, checksum in then["columns"].items() if now["columns"].get(name) != checksum]
    return f"other values in {', '.join(columns)}" if columns or then["sha256"] != now["sha256"] else ""


def _permissions(now: dict[str, Any]) -> Told:
    then = EXPECTED["permissions"]
    models = set(then["models"])
    for kind in ("groups", "users"):
        for who in {**then["held"][kind], **now["held"][kind]}:
            # What came later may be held of models that came later.
            held = [name for name in now["held"][kind].get(who, []) if name.partition(".")[0] in models]
            lost = Counter(then["held"][kind].get(who, []))
            yield f"{kind} {who} holds no more", sorted(lost - Counter(held))
            yield f"{kind} {who} holds besides", sorted(Counter(held) - lost)
    for who, may in then["may"].items():
        yield from _compared(f"what Django lets {who} do", may, now["may"].get(who))
    yield "content types without a model", now["without_a_model"]
    for kind in ("models", "permissions"):
        counted = Counter(now[kind])
        for name, times in Counter(then[kind]).items():
            yield from _compared(f"how many {kind} are called {name}", times, counted[name])


def _at_work(found: dict[str, Any], vendor: str) -> Told:
    for kind in ("triggers", "indexes"):
        yield f"{kind} that are gone", sorted(set(EXPECTED[kind][vendor]) - set(found["contents"][kind]))
    assert len(found["refused"]) == 6
    yield "not refused by the database", [what for what, refused in found["refused"].items() if not refused]


def _films(now: dict[str, str], storage: dict[str, Any]) -> Told:
    for name in {**EXPECTED["files"], **now}:
        yield from _compared(f"file {name}", EXPECTED["files"].get(name), now.get(name))
    wanted = (True, EXPECTED["tables"]["diagnosis_study"]["rows"], len(EXPECTED["files"]))
    yield from _compared("check_storage", wanted, (storage["whole"], storage["films"], storage["files"]))


def _trail(found: dict[str, Any]) -> Told:
    told = {name: found["audit"][name] for name in ("events", "head", "whole")}
    yield from _compared("verify_audit", {**EXPECTED["audit"], "whole": True}, told)
    later = found["audit_later"]
    went_on = later["events"] > EXPECTED["audit"]["events"]
    yield from _compared("verify_audit, later", (True, True), (later["whole"], went_on))
