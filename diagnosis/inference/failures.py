"""Why a prediction can fail, as a code that is stored and a sentence for people."""

from django.utils.translation import gettext_lazy as _

FAILURES = {
    "gave_up": _("The film could not be read in three attempts. Try again, or tell an administrator."),
    "film_missing": _("The stored film could not be opened. Tell an administrator."),
    "model_refused": _("The model's files are missing or were changed. Tell an administrator."),
}


class PredictionFailed(Exception):  # noqa: N818 - the name says what happened
    """The prediction cannot succeed however often it is tried; `code` is a key of FAILURES."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
