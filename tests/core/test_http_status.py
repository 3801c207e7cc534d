"""Every class of refusal has its HTTP status, and what is temporary is a server's error."""

from collections.abc import Iterator

import pytest

from core.errors import Conflict, FilmRefused, NotAllowed, NotReady, Refused, StorageFull, Unprocessable
from core.http_status import status_of, status_of_code


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (Refused("broken", ""), 400),
        (FilmRefused("broken_image", ""), 400),
        (FilmRefused("file_too_large", ""), 413),
        (FilmRefused("dicom_modality", ""), 415),
        (NotAllowed("not_a_reader", ""), 403),
        (NotAllowed("locked_out", ""), 429),
        (Conflict("batch_closed", ""), 409),
        (Unprocessable("gave_up", ""), 422),
        (NotReady("storage_failed", ""), 503),
        (StorageFull("storage_full", ""), 507),
    ],
)
def test_a_code_goes_before_the_class(refusal: Refused, status: int) -> None:
    assert status_of(refusal) == status


def test_a_stored_code_alone_has_a_status() -> None:
    assert (status_of_code("file_too_large"), status_of_code("broken_image")) == (413, 400)


def test_temporary_refusals_are_those_with_a_status_of_500_and_above() -> None:
    for kind in _all_kinds(Refused):
        try:
            refusal = kind("some_code", "")
        except TypeError:  # builds its own code
            continue
        assert refusal.is_temporary == (status_of(refusal) >= 500), kind


def _all_kinds(kind: type[Refused]) -> Iterator[type[Refused]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _all_kinds(below)
