"""Content types and names of the files that exports and reports send."""

from datetime import UTC, datetime

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ZIP = "application/zip"
PDF = "application/pdf"


def file_name(what: str, at: datetime, extension: str) -> str:
    """Return a neutral name with the moment of the export in UTC."""
    return f"pneumoweb-{what}-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}.{extension}"
