"""The schema of a backup's migrations: made in an empty database, and in one at other migrations."""

import json
from pathlib import Path
from typing import Any

import pytest

from operations.backup.manifest import BackupRefused
from operations.backup.schema import installed_migrations, prepare_schema
from tests.support.servers.stack import Stack

PREPARE = """
import json
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from operations.backup.schema import prepare_schema

TRIGGERS = {
    "sqlite": "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal",
}

def before(app, name):
    plan = MigrationExecutor(connection).loader.graph.forwards_plan((app, name))
    return [".".join(key) for key in plan]

def found():
    with connection.cursor() as cursor:
        cursor.execute(TRIGGERS[connection.vendor])
        triggers, = cursor.fetchone()
    tables = connection.introspection.table_names()
    applied = [".".join(key) for key in MigrationExecutor(connection).loader.applied_migrations]
    return {"events": "diagnosis_auditevent" in tables, "triggers": triggers, "applied": sorted(applied)}

trail = before("diagnosis", "0003_append_only_audit")
people = before("auth", "0012_alter_user_first_name_max_length")
told = []
for level in (trail, people, trail):
    apps = prepare_schema(level)
    knows = "auditevent" in apps.all_models["diagnosis"]
    told.append({**found(), "wanted": sorted(level), "knows_events": knows})
print("TOLD" + json.dumps(told))
"""


def prepared(stack: Stack) -> list[dict[str, Any]]:
    """Prepare three schemas one after the other, the second without what the first one needs."""
    printed = stack.manage("shell", "--verbosity", "0", "-c", PREPARE)
    found: list[dict[str, Any]] = json.loads(printed.partition("TOLD")[2])
    return found


def exactly_as_wanted(found: list[dict[str, Any]]) -> None:
    assert [each["applied"] for each in found] == [each["wanted"] for each in found]
    assert [each["events"] for each in found] == [True, False, True]
    assert [each["knows_events"] for each in found] == [True, False, True]
    assert [each["triggers"] > 0 for each in found] == [True, False, True]


def test_the_schema_is_exactly_that_of_the_migrations_on_sqlite(tmp_path: Path) -> None:
    exactly_as_wanted(prepared(Stack(tmp_path / "var", settings={"CELERY_BROKER_URL": "memory://"})))


def test_the_schema_is_exactly_that_of_the_migrations_on_postgresql(
    tmp_path: Path, own_postgres_url: str
) -> None:
    settings = {"CELERY_BROKER_URL": "memory://", "DATABASE_URL": own_postgres_url}
    exactly_as_wanted(prepared(Stack(tmp_path / "var", settings=settings)))


@pytest.mark.django_db
def test_a_migration_that_this_version_lacks_is_named() -> None:
    with pytest.raises(BackupRefused, match=r"does not know .*diagnosis\.9999_later") as refusal:
        prepare_schema([*installed_migrations(), "diagnosis.9999_later"])
    assert refusal.value.code == "other_version"


@pytest.mark.django_db
def test_migrations_without_those_that_they_depend_on_are_refused() -> None:
    incomplete = [name for name in installed_migrations() if name != "diagnosis.0001_initial"]
    with pytest.raises(BackupRefused, match=r"without diagnosis\.0001_initial") as refusal:
        prepare_schema(incomplete)
    assert refusal.value.code == "other_version"
