"""Exports as files: CSV, Excel workbook and ZIP, written in pieces at constant memory."""

import csv
import hashlib
import io
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import IO

from django.db.models.fields.files import FieldFile
from django.utils.translation import gettext as _

from core.errors import Refused
from diagnosis.models import Study
from diagnosis.results.rendering import OVERLAY, render_picture
from diagnosis.studies.blinding import shown_result
from insight.exports.columns import CODEBOOK_HEADER, NAMES, codebook
from insight.exports.row import Cell
from insight.exports.service import Export, ExportRefused

PIECE = 64 * 1024  # bytes sent at once
XLSX_MOST_ROWS = 1_048_576 - 1  # Excel's own limit, less the heading
ZIP_MOST_FILMS = 1000
ABOUT_HEADER = ("name", "value")
DISPLAY, ORIGINAL = "display", "original"
PICTURES = (DISPLAY, OVERLAY, ORIGINAL)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def guarded(text: str) -> str:
    """Return the text so that no spreadsheet takes it for a formula: with an apostrophe before it."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text


def as_text(cell: Cell) -> str:
    """Return a cell as CSV holds it: ISO 8601 in UTC, true and false, numbers as they are, "" for none."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return guarded(cell) if isinstance(cell, str) else repr(cell)


def csv_pieces(header: Iterable[str], rows: Iterable[Iterable[Cell]]) -> Iterator[bytes]:
    """Yield a CSV file (UTF-8, RFC 4180) in pieces of about PIECE bytes; rows are consumed lazily."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    for row in rows:
        writer.writerow([as_text(cell) for cell in row])
        if text.tell() >= PIECE:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def reads_csv(export: Export) -> Iterator[bytes]:
    """Yield the rows as CSV."""
    return csv_pieces(NAMES, export.rows())


def codebook_csv() -> Iterator[bytes]:
    """Yield the codebook as CSV."""
    return csv_pieces(CODEBOOK_HEADER, codebook())


def reads_xlsx(export: Export) -> IO[bytes]:
    """Return a workbook of three sheets (reads, codebook, about) as a temporary file, at its beginning.

    Raises ExportRefused where there are more rows than a sheet holds.
    """
    from xlsxwriter import Workbook

    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    try:
        options = {"constant_memory": True, "default_date_format": None}
        with Workbook(file, options) as book:
            for name, header, rows in (
                ("reads", NAMES, export.rows()),
                ("codebook", CODEBOOK_HEADER, codebook()),
                ("about", ABOUT_HEADER, _about(export)),
            ):
                sheet = book.add_worksheet(name)
                sheet.freeze_panes(1, 0)
                sheet.write_row(0, 0, header)
                for number, row in enumerate(rows, start=1):
                    if number > XLSX_MOST_ROWS:
                        raise ExportRefused("export_too_large", _too_many_rows())
                    _write_row(sheet, number, row)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def _about(export: Export) -> Iterator[list[Cell]]:
    """Ask only when it is written: how many rows there are is known after them."""
    yield from export.about()


def _too_many_rows() -> str:
    return _(
        "An Excel sheet holds %(most)d rows, and these films have more. Narrow the choice or take CSV."
    ) % {"most": XLSX_MOST_ROWS}


def _write_row(sheet: object, number: int, row: Iterable[Cell]) -> None:
    for place, cell in enumerate(row):
        if cell is None:
            continue
        if isinstance(cell, bool):
            sheet.write_boolean(number, place, cell)  # type: ignore[attr-defined]  # the library has no types
        elif isinstance(cell, int | float):
            sheet.write_number(number, place, cell)  # type: ignore[attr-defined]
        else:  # always as a string, so that nothing becomes a formula, a link or a date of its own kind
            sheet.write_string(number, place, as_text(cell))  # type: ignore[attr-defined]


class _Outbox(io.RawIOBase):
    """What zipfile writes into: it keeps the bytes until they are taken, and cannot seek."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes = bytearray()

    def writable(self) -> bool:
        """Say that one can write."""
        return True

    def write(self, data: object) -> int:
        """Keep the bytes."""
        piece = bytes(data)  # type: ignore[call-overload]  # whatever buffer zipfile hands over
        self._bytes += piece
        return len(piece)

    def taken(self) -> bytes:
        """Return what has come since the last time."""
        piece = bytes(self._bytes)
        self._bytes.clear()
        return piece


class ZipPieces:
    """A ZIP file made while it is sent; every entry is hashed for the manifest."""

    def __init__(self, at: datetime) -> None:
        self._outbox = _Outbox()
        self._zip = zipfile.ZipFile(self._outbox, "w")
        self._moment = at.astimezone(UTC).timetuple()[:6]
        self.manifest: list[str] = []

    def entry(self, name: str, pieces: Iterable[bytes], *, packed: bool) -> Iterator[bytes]:
        """Yield the bytes of one entry; `packed` False for compressed formats."""
        about = zipfile.ZipInfo(name, date_time=self._moment)
        about.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        about.external_attr = 0o644 << 16
        digest = hashlib.sha256()
        with self._zip.open(about, "w", force_zip64=True) as entry:
            for piece in pieces:
                digest.update(piece)
                entry.write(piece)
                yield self._outbox.taken()
        self.manifest.append(f"{digest.hexdigest()}  {name}\n")
        yield self._outbox.taken()

    def end(self) -> Iterator[bytes]:
        """Yield the manifest for `sha256sum -c`, and the directory of the ZIP file."""
        yield from self.entry("manifest-sha256.txt", [line.encode() for line in self.manifest], packed=True)
        self._zip.close()
        yield self._outbox.taken()


def films_zip(export: Export, pictures: Iterable[str]) -> Iterator[bytes]:
    """Yield a ZIP file of reads.csv, codebook.csv, the selected PICTURES, about.csv and a manifest.

    A picture that cannot be read is left out and named in about.csv; withheld results have no overlay.
    """
    zipped, missing = ZipPieces(export.at), list[str]()
    yield from zipped.entry("reads.csv", reads_csv(export), packed=True)
    yield from zipped.entry("codebook.csv", codebook_csv(), packed=True)
    for study in (study for chunk in export.chunks() for study in chunk):
        for kind in pictures:
            yield from _picture(zipped, study, kind, missing)
    about: list[list[Cell]] = [*export.about(), ["pictures_missing", " ".join(missing) or "none"]]
    yield from zipped.entry("about.csv", csv_pieces(ABOUT_HEADER, about), packed=True)
    yield from zipped.end()


def _picture(zipped: ZipPieces, study: Study, kind: str, missing: list[str]) -> Iterator[bytes]:
    name = f"pictures/{study.reference}-{kind}.{_extension(study, kind)}"
    try:
        pieces = _PIECES[kind](study)
    except (OSError, Refused):
        missing.append(name)
        return
    if pieces is not None:
        yield from zipped.entry(name, pieces, packed=False)


def _extension(study: Study, kind: str) -> str:
    if kind != ORIGINAL:
        return "png"
    return {"JPEG": "jpg", "PNG": "png", "DICOM": "dcm"}[study.media_format]


def _overlay(study: Study) -> list[bytes] | None:
    prediction = shown_result(study)
    if prediction is None:
        return None
    return [render_picture(prediction=prediction, kind=OVERLAY)]


def _stored(field: FieldFile) -> Iterator[bytes]:
    """Open at once, so that a missing file is noticed before its entry begins; read lazily."""
    file = field.open("rb")

    def pieces() -> Iterator[bytes]:
        with file:
            yield from file.chunks(PIECE)

    return pieces()


_PIECES: dict[str, Callable[[Study], Iterable[bytes] | None]] = {
    DISPLAY: lambda study: _stored(study.display),
    ORIGINAL: lambda study: _stored(study.original),
    OVERLAY: _overlay,
}
