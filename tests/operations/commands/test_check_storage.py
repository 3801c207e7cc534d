"""manage.py check_storage: faults are named, and exit codes tell scripts."""

from pathlib import Path

import pytest
from django.conf import settings

from diagnosis.models import Study
from diagnosis.studies.trash import move_to_trash
from tests.support.cast import Cast
from tests.support.running import run


def path_of(name: str) -> Path:
    return Path(settings.MEDIA_ROOT) / name


def test_an_empty_installation_is_whole(db: None) -> None:
    assert run("check_storage").code == 0


def test_films_that_are_all_there_are_counted_those_in_the_trash_too(study: Study, cast: Cast) -> None:
    move_to_trash(actor=cast.adam, study=study)
    outcome = run("check_storage")
    assert outcome.code == 0
    assert "1 films, 3 files" in outcome.output


@pytest.mark.parametrize("which", ["original", "display", "thumbnail"])
@pytest.mark.parametrize("words", [(), ("--quick",)])
def test_a_missing_file_is_named(study: Study, which: str, words: tuple[str, ...]) -> None:
    name = getattr(study, which).name
    path_of(name).unlink()
    outcome = run("check_storage", *words)
    assert outcome.code == 1
    assert f"{name}: named by the database, but missing" in outcome.error


def test_an_empty_file_counts_as_missing(study: Study) -> None:
    path_of(study.display.name).write_bytes(b"")
    assert run("check_storage", "--json").json["missing"] == [study.display.name]


def test_one_changed_bit_is_found_by_the_checksum_only(study: Study) -> None:
    path = path_of(study.original.name)
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    assert run("check_storage").code == 1
    assert run("check_storage", "--json").json["changed"] == [study.original.name]
    assert run("check_storage", "--quick").code == 0


def test_a_file_without_its_film_is_named(study: Study) -> None:
    stray = path_of("studies/ab/11111111-2222-3333-4444-555555555555/original.png")
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"film")
    outcome = run("check_storage", "--json")
    assert outcome.code == 1
    assert outcome.json["without_row"] == [str(stray.relative_to(settings.MEDIA_ROOT))]


def test_a_film_that_is_being_stored_is_no_fault(study: Study) -> None:
    uid = "11111111-2222-3333-4444-555555555555"
    path_of(f"incoming/{uid}").mkdir(parents=True)
    arriving = path_of(f"studies/11/{uid}/original.png")
    arriving.parent.mkdir(parents=True)
    arriving.write_bytes(b"half a film")
    assert run("check_storage").code == 0
    path_of(f"incoming/{uid}").rmdir()
    assert run("check_storage").code == 1
