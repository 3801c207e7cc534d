"""A response as comparable text: as it was sent where possible, else its content."""

import hashlib
import io
import json
import re
import tomllib
import zipfile
from datetime import date, datetime
from typing import Any

from tests.upgrade.installation import ROOT
from tests.upgrade.visible import visible_text

VERSION = str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
# Headers that differ between requests, or between versions of the pinned packages.
_HEADERS_LEFT_OUT = {
    "Content-Length",
    "X-Request-ID",
    "Set-Cookie",
    "Server",
    "Date",
    "ETag",
    "Last-Modified",
}
_TOKEN = re.compile(r'(?<="X-CSRFTOKEN"\] = ")\w+')
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def headers_of(response: Any) -> dict[str, Any]:
    """Return status and headers, without those that differ between requests."""
    kept = {name: value for name, value in response.items() if name not in _HEADERS_LEFT_OUT}
    if policy := kept.get("Content-Security-Policy"):  # the order of its parts varies
        kept["Content-Security-Policy"] = "; ".join(sorted(policy.split("; ")))
    return {"status": response.status_code, **dict(sorted(kept.items()))}


def body_of(response: Any) -> bytes:
    """Return the body, streamed or not."""
    return b"".join(response.streaming_content) if response.streaming else bytes(response.content)


def described(response: Any) -> tuple[str, bytes]:
    """Return a file extension and the content to compare; (“”, b“”) for a response without a body."""
    body, kind = body_of(response), str(response.get("Content-Type", "")).partition(";")[0]
    if not body:
        return "", b""
    if kind == "text/html":
        return ".txt", without_version(visible_text(body.decode()))
    if kind.endswith("json"):
        return ".json", without_version(as_json(json.loads(body)))
    if kind == "text/csv":
        return ".csv", without_version(body.decode())
    if kind == _XLSX:
        return ".json", without_version(as_json(_cells(body)))
    if kind == "application/zip":
        return ".json", without_version(as_json(_listing(body)))
    if kind == "application/pdf":
        return ".txt", without_version(_pages(body))
    if kind.startswith("image/") or kind == "application/dicom":
        return ".json", as_json(_picture(body, kind)).encode()
    return ".txt", without_version(_TOKEN.sub("TOKEN", body.decode()))


def as_json(value: Any) -> str:
    """Return the value as indented JSON with its keys in order."""
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True, default=_plain) + "\n"


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime | date) else str(value)


def without_version(text: str) -> bytes:
    """Replace the program's version, which changes on purpose."""
    return re.sub(rf"\bpneumoweb {re.escape(VERSION)}", "pneumoweb VERSION", text).encode()


def _cells(body: bytes) -> dict[str, list[list[Any]]]:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(body))
    return {sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book}


def _listing(body: bytes) -> list[dict[str, Any]]:
    """Describe tables by their text, stored pictures by checksum, drawn ones and the manifest by name."""
    entries = []
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        for entry in archive.infolist():
            content = archive.read(entry)
            told: dict[str, Any] = {"name": entry.filename, "packed": entry.compress_type}
            told["at"] = datetime(*entry.date_time)
            if entry.filename.endswith(".csv"):
                told["text"] = content.decode().splitlines()
            elif "overlay" not in entry.filename and not entry.filename.startswith("manifest"):
                told["sha256"] = hashlib.sha256(content).hexdigest()
            entries.append(told)
    return entries


def _pages(body: bytes) -> str:
    from pypdf import PdfReader

    pages = [page.extract_text() for page in PdfReader(io.BytesIO(body)).pages]
    return "".join(f"--- page {number}\n{text}\n" for number, text in enumerate(pages, start=1))


def _picture(body: bytes, kind: str) -> dict[str, Any]:
    """Describe a picture by type, checksum and size."""
    told: dict[str, Any] = {"type": kind, "sha256": hashlib.sha256(body).hexdigest()}
    if kind == "image/png":
        from PIL import Image

        with Image.open(io.BytesIO(body)) as picture:
            told.update(width=picture.width, height=picture.height, mode=picture.mode)
    return told


def drawn(told: bytes) -> bytes:
    """Drop the checksum of a picture that is drawn on demand: its last bits depend on the machine."""
    return as_json({name: value for name, value in json.loads(told).items() if name != "sha256"}).encode()
