"""Pages as tests compare them: without white space that a browser does not show."""

import re


def flat(page: str | bytes) -> str:
    """Return HTML in one line, with single spaces and none beside a tag."""
    text = page.decode() if isinstance(page, bytes) else page
    return re.sub(r"\s*([<>])\s*", r"\1", re.sub(r"\s+", " ", text))
