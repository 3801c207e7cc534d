"""Films as rows alone, for tests that read no files."""

from typing import Any

from diagnosis.models import Study


def film_row(number: int | str, **fields: Any) -> Study:
    """An unsaved film whose checksum is made of `number`; `fields` name at least project and uploader."""
    plain = {"source": "file", "media_format": "PNG", "byte_size": 1, "width": 1, "height": 1, "bit_depth": 8}
    return Study(**plain, sha256=str(number).rjust(64, "0"), **fields)
