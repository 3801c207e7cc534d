"""An upload whose process dies on the way."""

from typing import Any

import pytest

from diagnosis.intake import submission
from tests.support.cast import Cast
from tests.support.inputs.films import chest_png


class Killed(BaseException):
    """Takes the place of a SIGKILL: nothing after it is done."""


def upload_killed_before_its_rows(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Alice send a film, and the process die between its files and its rows."""

    def die(*args: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(submission, "_store_rows", die)
        patch.setattr(submission, "_remove_files_unless_stored", lambda study: None)
        with pytest.raises(Killed):
            submission.submit_study(actor=cast.alice, project=cast.project, data=chest_png())
