"""ZIP archives of films: checked before use, read one member at a time, never unpacked to disk.

Members are identified by their position; their names are never used as paths. A batch may take the subject
code that a name begins with.
"""

import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO

from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import FilmRefused, Refused

_END, _END_SIZE, _COMMENT_MAX = b"PK\x05\x06", 22, 0xFFFF
_END64_LOCATOR, _END64_LOCATOR_SIZE = b"PK\x06\x07", 20
_END64, _END64_SIZE = b"PK\x06\x06", 56
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    struct.error,
)
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ")
_ENCRYPTED = 0x1
_SMALL = 1024 * 1024  # bytes; a smaller member may have any compression ratio
_BYTES_PER_ENTRY = 512  # average limit in the central directory


class ArchiveRefused(Refused):
    """The archive as a whole is not accepted; nothing was stored."""


@dataclass(frozen=True)
class Member:
    """One file of an archive: its position from 1 upwards and its declared size in bytes."""

    position: int
    byte_size: int


class ZipArchive:
    """A ZIP whose central directory has been checked; `members` are its files, in the archive's order."""

    def __init__(self, file: IO[bytes]) -> None:
        """Check the archive by its central directory alone; the caller keeps `file` open, and closes it.

        Raises ArchiveRefused (`archive_not_zip`, `archive_damaged`, `archive_too_many`, `archive_too_large`,
        `archive_bomb`, `archive_empty`).
        """
        _check_directory_size(file)
        try:
            self._zip = zipfile.ZipFile(file)
        except _UNREADABLE as error:
            raise _damaged() from error
        self._files = [entry for entry in self._zip.infolist() if _is_file(entry)]
        _check_sizes(self._files)
        self.members = [Member(place, entry.file_size) for place, entry in enumerate(self._files, start=1)]

    def name(self, position: int) -> str:
        """Return the name of one member, for the subject code it may begin with; it is never stored."""
        return self._files[position - 1].filename

    def read(self, position: int) -> bytes:
        """Return the content of one member, with at most MAX_UPLOAD_BYTES of it in memory.

        Raises FilmRefused where this member is not accepted (`zip_encrypted`, `zip_special`,
        `zip_method`, `file_too_large`, `zip_damaged`, `zip_nested`).
        """
        entry = self._files[position - 1]
        _check_member(entry)
        try:
            with self._zip.open(entry) as member:
                data = member.read(settings.MAX_UPLOAD_BYTES + 1)
                if len(data) <= settings.MAX_UPLOAD_BYTES:
                    member.read(1)  # at the end of the file the checksum is compared
        except _UNREADABLE as error:
            message = _("This file is damaged inside the archive.")
            raise FilmRefused("zip_damaged", message) from error
        if len(data) > settings.MAX_UPLOAD_BYTES:
            raise _too_large()
        if data.startswith(_ARCHIVES):
            message = _("This is an archive inside the archive. Send its films themselves.")
            raise FilmRefused("zip_nested", message)
        return data


def _check_directory_size(file: IO[bytes]) -> None:
    """Refuse a central directory that would fill the memory, before it is read."""
    entries, size = _directory_size(file)
    limit = settings.BATCH_MAX_FILES
    if entries > 2 * limit or size > 2 * limit * _BYTES_PER_ENTRY:
        raise _too_many(limit)


def _directory_size(file: IO[bytes]) -> tuple[int, int]:
    """Return the number of entries and the bytes of the central directory, from the end record."""
    length = file.seek(0, 2)
    start = max(0, length - _END_SIZE - _COMMENT_MAX)
    file.seek(start)
    tail = file.read()
    place = tail.rfind(_END)
    if place < 0 or len(tail) - place < _END_SIZE:
        message = _("This is not a ZIP archive, or only a part of one.")
        raise ArchiveRefused("archive_not_zip", message)
    record = _record64(file, start + place)
    if record is not None:
        return record
    entries, size = struct.unpack("<HL", tail[place + 10 : place + 16])
    return entries, size


def _record64(file: IO[bytes], end: int) -> tuple[int, int] | None:
    """Return the same from the ZIP64 record, where Python's reader would use one."""
    start = end - _END64_LOCATOR_SIZE - _END64_SIZE
    if start < 0:
        return None
    file.seek(start)
    record, locator = file.read(_END64_SIZE), file.read(_END64_LOCATOR_SIZE)
    if not (record.startswith(_END64) and locator.startswith(_END64_LOCATOR)):
        return None
    entries, size = struct.unpack("<QQ", record[32:48])
    return entries, size


def _check_sizes(files: list[zipfile.ZipInfo]) -> None:
    if not files:
        raise ArchiveRefused("archive_empty", _("There is no file in this archive."))
    if len(files) > settings.BATCH_MAX_FILES:
        raise _too_many(settings.BATCH_MAX_FILES)
    unpacked = sum(entry.file_size for entry in files)
    if unpacked > settings.BATCH_MAX_UNPACKED_BYTES:
        size = settings.BATCH_MAX_UNPACKED_BYTES // 1024**3
        message = _("Unpacked, this archive would be larger than %(size)d GB. Send it in parts.")
        raise ArchiveRefused("archive_too_large", message % {"size": size})
    if any(_is_bomb(entry) for entry in files):
        message = _("A file in this archive is squeezed harder than any film can be. It is not unpacked.")
        raise ArchiveRefused("archive_bomb", message)


def _is_bomb(entry: zipfile.ZipInfo) -> bool:
    if entry.file_size <= _SMALL:
        return False
    return entry.file_size > settings.BATCH_MAX_RATIO * max(1, entry.compress_size)


def _is_file(entry: zipfile.ZipInfo) -> bool:
    """Leave out folders and the files that operating systems add."""
    name = entry.filename.replace("\\", "/")
    parts = name.split("/")
    hidden = parts[-1].startswith(".") or "__MACOSX" in parts or parts[-1] == "Thumbs.db"
    return not entry.is_dir() and not hidden


def _check_member(entry: zipfile.ZipInfo) -> None:
    if entry.flag_bits & _ENCRYPTED:
        message = _("This file is locked with a password inside the archive.")
        raise FilmRefused("zip_encrypted", message)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        message = _("This is a link or a device, not a file.")
        raise FilmRefused("zip_special", message)
    if entry.compress_type not in _METHODS:
        message = _("This file is packed in a way that is not read. Use the ordinary ZIP format.")
        raise FilmRefused("zip_method", message)
    if entry.file_size > settings.MAX_UPLOAD_BYTES:
        raise _too_large()


def _too_large() -> FilmRefused:
    limit = settings.MAX_UPLOAD_BYTES // (1024 * 1024)
    message = _("A film may have at most %(limit)d MB. This one is larger.") % {"limit": limit}
    return FilmRefused("file_too_large", message)


def _too_many(limit: int) -> ArchiveRefused:
    message = _("An archive may hold at most %(limit)d files. Send it in parts.") % {"limit": limit}
    return ArchiveRefused("archive_too_many", message)


def _damaged() -> ArchiveRefused:
    return ArchiveRefused(
        "archive_damaged", _("This ZIP archive is damaged. Make it anew, or send the films.")
    )
