"""A backup restored into an empty installation: the same rows, films and audit trail, on both databases."""

import errno
import json
import shutil
import tarfile
from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Group

from audit.models import AuditEvent
from diagnosis.models import Study
from operations.backup.restoring import restore_backup
from tests.support.running import run
from tests.support.servers.stack import Stack

FILL = """
from datetime import timedelta
from django.utils import timezone
from django.contrib.auth.models import User
from knox.models import AuthToken
from diagnosis.inference import registry
from diagnosis.models import Prediction, WorkerStatus
from diagnosis.inference.worker import claim_prediction, fail, finish
from diagnosis.studies.trash import move_to_trash
from diagnosis.intake.submission import submit_study
from reading.models import Review
from tests.support.cast import make_cast
from tests.support.inputs.films import chest_png
from tests.support.results import film_result

registry.activate(actor=None, model=registry.register_shipped(actor=None)[-1])
cast = make_cast()
AuthToken.objects.create(cast.alice)
first, second, third, fourth = [
    submit_study(actor=cast.alice, project=cast.project, data=chest_png(seed=seed), subject_code=f"S-{seed}")
    for seed in range(4)
]
finish(claim_prediction(str(first.prediction.uid)), film_result(0.123456789012345))
fail(claim_prediction(str(second.prediction.uid)), "film_missing")
move_to_trash(actor=cast.adam, study=third.study)
Review.objects.create(
    study=first.study, prediction=first.prediction, reader=cast.rania, agrees_with_ai=True,
    finding="pneumonia", confidence=80, comment='Both bases. “Ünïcode”, \\n a new line, 100 %.',
)
WorkerStatus.objects.create(name="here:1", last_seen_at=timezone.now(), started_at=timezone.now())
"""
GO_ON = """
from django.contrib.auth.models import User
from diagnosis.models import Project
from diagnosis.intake.submission import submit_study
from tests.support.inputs.films import chest_png

made = submit_study(actor=User.objects.get(username="alice"), project=Project.objects.get(slug="ward-7"),
                    data=chest_png(seed=77))
assert made.created
"""
DUMP = """
import json
from django.apps import apps
from operations.backup.writing import LEFT_OUT
def plain(row):
    values = {field.attname: field.value_from_object(row) for field in row._meta.concrete_fields}
    return {name: json.dumps(value, sort_keys=True, default=str) for name, value in values.items()}
def label(model):
    return model._meta.label_lower
everything = apps.get_models(include_auto_created=True)
models = [model for model in everything if not model._meta.proxy and label(model) not in LEFT_OUT]
def content(model):
    rows = [plain(row) for row in model._base_manager.order_by("pk")]
    if model._meta.auto_created:  # ids of many-to-many rows mean nothing
        rows = sorted(({k: v for k, v in row.items() if k != "id"} for row in rows), key=str)
    return rows
print("DUMP" + json.dumps({label(model): content(model) for model in models}))
"""


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """An installation on SQLite with people, films in every state, an opinion and a trail."""
    return fill(Stack(tmp_path_factory.mktemp("old") / "var", settings={"CELERY_BROKER_URL": "memory://"}))


@pytest.fixture(scope="module")
def whole_backup(old: Stack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the old installation."""
    path = tmp_path_factory.mktemp("backup") / "all.tar"
    old.manage("backup", str(path))
    return path


@pytest.fixture
def backup(whole_backup: Path, tmp_path: Path) -> Path:
    """A copy of the backup, to be damaged."""
    return Path(shutil.copy(whole_backup, tmp_path / "copy.tar"))


def fill(stack: Stack) -> Stack:
    """Create people, films in every state, an opinion and a trail."""
    stack.manage("migrate", "--verbosity", "0")
    stack.manage("shell", "--verbosity", "0", "-c", FILL)
    return stack


def rows(stack: Stack) -> dict[str, list[dict[str, str]]]:
    """Return every row of every table that is backed up, as text."""
    printed = stack.manage("shell", "--verbosity", "0", "-c", DUMP)
    found: dict[str, list[dict[str, str]]] = json.loads(printed.partition("DUMP")[2])
    return found


def films(stack: Stack) -> dict[str, str]:
    """Return the checksum of every film's files by name."""
    media = stack.var / "media"
    return {
        str(path.relative_to(media)): sha256(path.read_bytes()).hexdigest()
        for path in media.rglob("*")
        if path.is_file()
    }


def restored_from(old: Stack, new: Stack, path: Path) -> None:
    """Back the old installation up, restore it into the new one, and compare everything."""
    report = json.loads(old.manage("backup", str(path), "--json"))
    assert (report["files"], report["missing_files"], report["audit_whole"]) == (12, [], True)
    assert path.stat().st_mode & 0o777 == 0o600
    noted = f"{report['audit_events']}:{report['audit_head']}"
    assert noted in new.manage("restore", str(path))
    assert rows(new) == rows(old)
    assert films(new) == films(old)
    assert len(films(new)) == 12
    # New rows get new numbers, new events follow the restored ones.
    new.manage("shell", "--verbosity", "0", "-c", GO_ON)
    assert json.loads(new.manage("verify_audit", "--json", "--noted", noted))["whole"]


def test_rows_films_and_trail_move_from_sqlite_to_postgresql(
    old: Stack, own_postgres_url: str, tmp_path: Path
) -> None:
    settings = {"CELERY_BROKER_URL": "memory://", "DATABASE_URL": own_postgres_url}
    restored_from(old, Stack(tmp_path / "new", settings=settings), tmp_path / "all.tar")


@pytest.mark.nightly
def test_rows_films_and_trail_move_from_postgresql_to_sqlite(own_postgres_url: str, tmp_path: Path) -> None:
    settings = {"CELERY_BROKER_URL": "memory://", "DATABASE_URL": own_postgres_url}
    new = Stack(tmp_path / "new", settings={"CELERY_BROKER_URL": "memory://"})
    restored_from(fill(Stack(tmp_path / "old", settings=settings)), new, tmp_path / "all.tar")


def replace_member(path: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Rewrite the tar file with the members of that name changed."""
    with tarfile.open(path) as tar:
        members = []
        for member in tar.getmembers():
            content = tar.extractfile(member)
            assert content is not None
            members.append((member, content.read()))
    with tarfile.open(path, "w") as tar:
        for member, original in members:
            data = change(original) if name in member.name else original
            member.size = len(data)
            tar.addfile(member, BytesIO(data))


def media_here() -> list[Path]:
    """Return the files of this test's own installation."""
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("member", "change"),
    [
        ("/thumbnail", lambda data: data[:-1] + b"x"),  # after its film's other files
        ("rows.jsonl", lambda data: data.replace(b"S-2", b"S-9")),
        ("rows.jsonl", lambda data: data[: len(data) // 2]),
        ("manifest.json", lambda data: data.replace(b'"diagnosis.study": 4', b'"diagnosis.study": 5')),
        ("manifest.json", lambda data: data.replace(b'"studies/', b'"../studies/', 1)),
    ],
)
def test_a_changed_backup_is_refused_and_nothing_is_restored(
    backup: Path, member: str, change: Callable[[bytes], bytes]
) -> None:
    replace_member(backup, member, change)
    outcome = run("restore", backup)
    assert (outcome.code, "damaged" in outcome.error) == (1, True)
    assert media_here() == []
    assert (Study.objects.count(), Group.objects.count()) == (0, 4)


@pytest.mark.django_db
def test_a_trail_that_was_changed_in_the_backup_is_found_although_its_checksums_were_recomputed(
    backup: Path,
) -> None:
    changed: list[bytes] = []

    def change(data: bytes) -> bytes:
        changed[:] = [data, data.replace(b'"study_deleted"', b'"study_deletes"')]
        return changed[1]

    replace_member(backup, "rows.jsonl", change)
    before, after = (sha256(data).hexdigest().encode() for data in changed)
    replace_member(backup, "manifest.json", lambda data: data.replace(before, after))
    assert "audit trail" in run("restore", backup).error


@pytest.mark.django_db
def test_a_truncated_file_is_refused(backup: Path) -> None:
    backup.write_bytes(backup.read_bytes()[: backup.stat().st_size // 2])
    assert "not a whole backup" in run("restore", backup).error


@pytest.mark.django_db
def test_a_backup_of_another_version_is_refused(backup: Path) -> None:
    replace_member(backup, "manifest.json", lambda data: data.replace(b"0002_baseline", b"0002_older"))
    assert "another version" in run("restore", backup).error


@pytest.mark.django_db
def test_a_restore_whose_migrations_fail_leaves_neither_tables_nor_films(
    backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped: list[object] = []

    def fail(*_words: object, **_options: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("operations.backup.restoring.call_command", fail)
    monkeypatch.setattr("operations.backup.restoring.drop_tables", dropped.append)
    with pytest.raises(RuntimeError):
        restore_backup(path=backup)
    assert (len(dropped), media_here()) == (1, [])


@pytest.mark.django_db
def test_an_installation_in_use_is_never_overwritten(study: Study, backup: Path) -> None:
    before = media_here()
    assert "in use already" in run("restore", backup).error
    assert list(Study.objects.all()) == [study]
    assert media_here() == before


@pytest.mark.django_db
def test_left_over_films_are_never_mixed_with_restored_ones(backup: Path) -> None:
    left = Path(settings.MEDIA_ROOT) / "studies" / "left.png"
    left.parent.mkdir(parents=True)
    left.touch()
    assert "in use already" in run("restore", backup).error
    assert media_here() == [left]


def test_an_earlier_backup_is_never_overwritten(study: Study, backup: Path) -> None:
    before = backup.read_bytes()
    assert "is there already" in run("backup", backup).error
    assert backup.read_bytes() == before


def test_a_film_whose_file_is_gone_is_named_and_everything_else_backed_up(
    study: Study, tmp_path: Path
) -> None:
    missing = str(study.display.name)
    study.display.storage.delete(missing)
    assert missing in run("backup", tmp_path / "some.tar").error
    with tarfile.open(tmp_path / "some.tar") as tar:
        names = set(tar.getnames())
    kept = {f"media/{study.original.name}", f"media/{study.thumbnail.name}"}
    assert names == {"rows.jsonl", "manifest.json", *kept}


def test_a_backup_that_cannot_be_written_leaves_nothing(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    folder = tmp_path / "backups"
    folder.mkdir()
    assert "No space left" in run("backup", folder).error
    assert list(folder.iterdir()) == []
    assert "could not be written" in run("backup", tmp_path / "nowhere" / "x.tar").error


def test_making_a_backup_is_in_the_trail(study: Study, tmp_path: Path) -> None:
    run("backup", tmp_path / "some.tar")
    assert AuditEvent.objects.filter(verb="backup_made").count() == 1
