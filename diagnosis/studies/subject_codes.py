"""Subject codes: their validation, and the one that a film's file name begins with."""

import posixpath

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from core.errors import FilmRefused
from diagnosis.models import Study


def check_subject_code(code: str) -> None:
    """Raise FilmRefused (`subject_code_invalid`) for an invalid code; an empty one is valid."""
    try:
        Study._meta.get_field("subject_code").clean(code, None)
    except ValidationError as problem:
        raise FilmRefused(
            "subject_code_invalid", _("Subject code: %(problem)s") % {"problem": problem.messages[0]}
        ) from problem


def check_code_from_name(code: str) -> str:
    """Return the code from a file name if it is valid.

    It needs a digit, so that a patient's name is not taken for a code. Raises FilmRefused
    (`subject_code_invalid`); the message does not repeat what was found.
    """
    if not any(letter.isascii() and letter.isdigit() for letter in code):
        message = _("The file's name does not begin with a subject code: there is no digit in it.")
        raise FilmRefused("subject_code_invalid", message)
    check_subject_code(code)
    return code


def code_in_name(name: str) -> str:
    """Return the part of a file's name before the first underscore (else before its extension).

    Folders before the name do not count. Raises FilmRefused (`subject_code_invalid`).
    """
    stem = posixpath.splitext(posixpath.basename(name.replace("\\", "/")))[0]
    return check_code_from_name(stem.partition("_")[0].strip())
