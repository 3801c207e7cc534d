"""Archives are checked before use, and never unpacked to disk."""

import io
from typing import Any

import pytest

from core.errors import FilmRefused
from core.http_status import status_of
from diagnosis.intake.archives import ArchiveRefused, ZipArchive
from tests.support.inputs import zips
from tests.support.inputs.films import NOT_FILMS, chest_png


def opened(data: bytes) -> ZipArchive:
    return ZipArchive(io.BytesIO(data))


def refusal(data: bytes) -> str:
    with pytest.raises(ArchiveRefused) as caught:
        opened(data)
    assert caught.value.message.endswith(".")
    assert 400 <= status_of(caught.value) < 500
    return caught.value.code


def member_refusal(data: bytes, position: int = 1) -> str:
    archive = opened(data)
    with pytest.raises(FilmRefused) as caught:
        archive.read(position)
    assert caught.value.message.endswith(".")
    return caught.value.code


def test_files_are_read_by_position_whatever_their_names() -> None:
    archive = opened(zips.films_zip(3))
    assert [member.position for member in archive.members] == [1, 2, 3]
    assert [archive.read(place) for place in (3, 1)] == [chest_png(seed=2), chest_png(seed=0)]


def test_folders_and_files_of_operating_systems_do_not_count() -> None:
    names = ["a/", "__MACOSX/a/film.png", "a/.DS_Store", "a\\Thumbs.db", "a/film.png"]
    archive = opened(zips.zip_of(b"", b"x", b"x", b"x", chest_png(), names=names))
    assert len(archive.members) == 1
    assert archive.read(1) == chest_png()


@pytest.mark.parametrize("kind", sorted(set(NOT_FILMS) - {"zip"}))
def test_anything_but_a_zip_is_refused(kind: str) -> None:
    assert refusal(NOT_FILMS[kind]) == "archive_not_zip"


def test_half_a_zip_and_an_empty_one_are_refused() -> None:
    whole = zips.films_zip(2)
    assert refusal(whole[: len(whole) // 2]) == "archive_not_zip"
    assert refusal(whole[len(whole) - 40 :]) == "archive_damaged"
    assert refusal(zips.zip_of()) == "archive_empty"


def test_too_many_files_are_refused(settings: Any) -> None:
    settings.BATCH_MAX_FILES = 2
    assert refusal(zips.films_zip(3)) == "archive_too_many"


@pytest.mark.parametrize("entries", [10_000, 2**40])
def test_a_central_directory_that_would_fill_the_memory_is_not_read(entries: int) -> None:
    assert refusal(zips.zip_claiming_many(entries)) == "archive_too_many"


def test_a_bomb_is_refused_by_its_ratio_and_by_its_size(settings: Any) -> None:
    assert refusal(zips.bomb_zip()) == "archive_bomb"
    settings.BATCH_MAX_UNPACKED_BYTES = 1024**2
    assert refusal(zips.bomb_zip()) == "archive_too_large"


def test_a_member_with_a_false_size_yields_no_more_than_declared() -> None:
    data = bytearray(zips.zip_of(bytes(3 * 1024**2), packed=True))
    place = data.index(b"PK\x01\x02") + 24
    data[place : place + 4] = (1000).to_bytes(4, "little")
    assert member_refusal(bytes(data)) == "zip_damaged"


def test_a_member_larger_than_a_film_may_be_is_refused(settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1024
    assert member_refusal(zips.films_zip(1)) == "file_too_large"


def test_links_locked_and_damaged_members_and_inner_archives_are_refused_alone() -> None:
    assert member_refusal(zips.zip_with_link(), 2) == "zip_special"
    assert member_refusal(zips.encrypted_zip()) == "zip_encrypted"
    assert member_refusal(zips.zip_with_wrong_checksum()) == "zip_damaged"
    assert opened(zips.zip_with_wrong_checksum()).read(2) == chest_png(seed=1)
    assert member_refusal(zips.zip_of(zips.films_zip(1))) == "zip_nested"
