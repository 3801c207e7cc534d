"""Storage: a saved film and its folders are flushed to disk, or nothing is left."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile

from diagnosis.storage.filesystem import DurableFileSystemStorage


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that were flushed, in order; the flushing itself is real."""
    paths: list[str] = []
    flush = os.fsync

    def note(descriptor: int) -> None:
        paths.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    return paths


def test_flushes_the_file_and_every_folder_up_to_the_top(tmp_path: Path, flushed: list[str]) -> None:
    media = tmp_path.resolve() / "media"
    DurableFileSystemStorage(location=media).save("studies/ab/one/display.png", ContentFile(b"film"))
    assert flushed == [
        str(media / "studies/ab/one/display.png"),
        str(media / "studies/ab/one"),
        str(media / "studies/ab"),
        str(media / "studies"),
        str(media),
    ]


def test_keeps_what_was_saved(tmp_path: Path) -> None:
    storage = DurableFileSystemStorage(location=tmp_path)
    name = storage.save("studies/ab/one/display.png", ContentFile(b"film"))
    with storage.open(name) as file:
        assert file.read() == b"film"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_leaves_no_partial_film_where_the_disk_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(number, "no room")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no room"):
        DurableFileSystemStorage(location=tmp_path).save("studies/ab/one/original.png", ContentFile(b"film"))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_leaves_no_partial_film_where_writing_fails(tmp_path: Path) -> None:
    class Breaking(ContentFile):  # type: ignore[type-arg]  # generic in the stubs only
        def chunks(self, chunk_size: int | None = None) -> Any:
            yield b"the first part"
            raise OSError(errno.ENOSPC, "no room")

    with pytest.raises(OSError, match="no room"):
        DurableFileSystemStorage(location=tmp_path).save("studies/ab/one/original.png", Breaking(b""))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_deleting_the_last_file_takes_its_folder_along(tmp_path: Path) -> None:
    storage = DurableFileSystemStorage(location=tmp_path)
    for name in ("one", "two"):
        storage.save(f"studies/ab/uid/{name}", ContentFile(b"film"))
    storage.delete("studies/ab/uid/one")
    assert storage.exists("studies/ab/uid/two")
    storage.delete("studies/ab/uid/two")
    assert not storage.exists("studies/ab/uid")


def test_deleting_what_is_not_there_is_no_fault(tmp_path: Path) -> None:
    DurableFileSystemStorage(location=tmp_path).delete("studies/ab/uid/none")
    assert list(tmp_path.iterdir()) == []
