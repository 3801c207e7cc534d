"""How long a reader had a film open: measured by the server, from handing out the form to taking it back."""

import time
import uuid

from django.core import signing

_SALT = "reading-opened"
LONGEST = 12 * 3600  # seconds; a page left open overnight says nothing about reading


def opening_of(*, study: uuid.UUID, reader: int, now: float | None = None) -> str:
    """Return signed text that says when this reader was given this film's form."""
    moment = round(time.time() if now is None else now)
    return signing.dumps([str(study), reader, moment], salt=_SALT)


def seconds_since(opening: str, *, study: uuid.UUID, reader: int) -> int | None:
    """Return whole seconds from the opening until now, at most LONGEST; None for text that is not ours."""
    try:
        film, person, moment = signing.loads(opening, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    if (film, person) != (str(study), reader):
        return None
    return min(max(0, round(time.time()) - int(moment)), LONGEST)


def continued_opening(given: str, *, study: uuid.UUID, reader: int) -> str:
    """Return the opening that the page has, or a new one where it has none of this film and reader."""
    if given and seconds_since(given, study=study, reader=reader) is not None:
        return given
    return opening_of(study=study, reader=reader)
