"""Expected failures: each has a code for programs and a sentence for people.

Their HTTP statuses are in `core.http_status`.
"""

from collections.abc import Mapping

from django.utils.functional import Promise


class Refused(Exception):  # noqa: N818 - the name says what happened to the request
    """The base of everything that is refused on purpose; nothing was stored or changed."""

    is_temporary = False  # True: the installation is at fault, and the same request may succeed later

    def __init__(
        self, code: str, message: str | Promise, params: Mapping[str, str | int] | None = None
    ) -> None:
        self.code = code
        self.message = str(message)  # in the language of whoever is refused
        self.params = dict(params or {})  # what varies in the message, to translate it again later
        super().__init__(self.message)


class FilmRefused(Refused):
    """The film is not accepted: not an image, damaged, too large or of an unsupported kind."""


class UrlRefused(Refused):
    """The URL cannot be fetched: switched off, not allowed, unreachable or too slow."""


class NotAllowed(Refused):
    """The person's role does not cover this."""


class Conflict(Refused):
    """The object is not in a state in which this can be done."""


class Unprocessable(Refused):
    """The request is well formed, but cannot be carried out."""


class StorageFull(Refused):
    """There is no space left for the film."""

    is_temporary = True


class NotReady(Refused):
    """The installation lacks something, for example an active model."""

    is_temporary = True


class ModelRefused(Refused):
    """A model version cannot be registered or activated."""
