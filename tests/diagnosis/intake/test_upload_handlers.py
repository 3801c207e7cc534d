"""The upload handler aborts a file that is too large while it is received."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest
from django.test import RequestFactory

MEGABYTE = 1024 * 1024


@pytest.fixture
def spooled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the chunks that reached the next handlers."""
    sizes: list[int] = []
    through: Callable[..., Any] = TemporaryFileUploadHandler.receive_data_chunk

    def note(self: TemporaryFileUploadHandler, raw_data: bytes, start: int) -> Any:
        sizes.append(len(raw_data))
        return through(self, raw_data, start)

    monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", note)
    return sizes


def sent(*sizes: int) -> HttpRequest:
    files = [SimpleUploadedFile(f"{number}.png", bytes(size)) for number, size in enumerate(sizes)]
    return RequestFactory().post("/upload/", {"file": files, "subject_code": "S-017"})


def was_too_large(request: HttpRequest) -> bool:
    return getattr(request, "upload_was_too_large", False)


def test_lets_a_film_of_the_permitted_size_through() -> None:
    request = sent(50 * MEGABYTE)
    assert [file.size for file in request.FILES.getlist("file")] == [50 * MEGABYTE]
    assert not was_too_large(request)


def test_stops_a_file_of_60_megabytes_at_51(spooled: list[int]) -> None:
    request = sent(60 * MEGABYTE)
    assert request.FILES.getlist("file") == []
    assert was_too_large(request)
    assert 50 * MEGABYTE < sum(spooled) <= 51 * MEGABYTE


def test_counts_every_file_separately() -> None:
    request = sent(30 * MEGABYTE, 30 * MEGABYTE)
    assert len(request.FILES.getlist("file")) == 2
    assert not was_too_large(request)


def test_keeps_the_files_before_the_one_that_is_too_large() -> None:
    request = sent(1000, 60 * MEGABYTE, 1000)
    assert [file.size for file in request.FILES.getlist("file")] == [1000]
    assert was_too_large(request)


def test_leaves_no_temporary_file_of_an_aborted_upload(settings: Any, tmp_path: Any) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    request = sent(60 * MEGABYTE)
    assert request.FILES.getlist("file") == []
    assert list(tmp_path.iterdir()) == []


def test_uses_the_limit_of_the_settings(settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1 * MEGABYTE
    request = sent(3 * MEGABYTE)
    assert request.FILES.getlist("file") == []
    assert was_too_large(request)
