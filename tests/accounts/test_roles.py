"""What each role may do, and the refusals of everybody else."""

import pytest
from django.contrib.auth.models import AnonymousUser

from accounts.roles import may_administer, may_review, may_upload, require
from core.errors import NotAllowed
from tests.support.cast import Cast


def test_who_has_the_role_passes(cast: Cast) -> None:
    require(cast.alice, may_upload, "")
    require(cast.rania, may_review, "")
    require(cast.adam, may_administer, "")


@pytest.mark.parametrize(
    ("may", "code"),
    [
        (may_upload, "not_an_uploader"),
        (may_review, "not_a_reader"),
        (may_administer, "not_an_administrator"),
    ],
)
def test_everybody_else_is_refused_by_code_and_sentence(may: object, code: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        require(AnonymousUser(), may, "Ask an administrator.")  # type: ignore[arg-type]
    assert (refused.value.code, refused.value.message) == (code, "Ask an administrator.")
