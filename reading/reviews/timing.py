"""Reading time: measured by the server from rendering the form to receiving it, in signed text."""

import time
import uuid

from django.core import signing

_SALT = "reading-opened"
LONGEST = 12 * 3600  # seconds; a page left open overnight is no measure of reading


def new_opening(*, study: uuid.UUID, reader: int, now: float | None = None) -> str:
    """Return signed text with the moment at which this reader got this film's form."""
    moment = round(time.time() if now is None else now)
    return signing.dumps([str(study), reader, moment], salt=_SALT)


def seconds_since(opening: str, *, study: uuid.UUID, reader: int) -> int | None:
    """Return whole seconds from the opening until now, at most LONGEST; None for text not signed here."""
    try:
        film, person, moment = signing.loads(opening, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    if (film, person) != (str(study), reader):
        return None
    return min(max(0, round(time.time()) - int(moment)), LONGEST)


def continued_opening(given: str, *, study: uuid.UUID, reader: int) -> str:
    """Return the given opening if it is of this film and reader, else a new one."""
    if given and seconds_since(given, study=study, reader=reader) is not None:
        return given
    return new_opening(study=study, reader=reader)
