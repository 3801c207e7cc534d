"""An upload whose process is killed."""

from typing import Any

import pytest

from diagnosis.intake import submission
from diagnosis.storage import journal
from tests.support.cast import Cast
from tests.support.inputs.films import chest_png


class Killed(BaseException):
    """Simulates a SIGKILL."""


def upload_killed_before_its_rows(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill the process of an upload by Alice between its files and its rows."""

    def die(*args: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(submission, "_store_rows", die)
        patch.setattr(journal, "_remove_files_unless_stored", lambda uid: None)
        with pytest.raises(Killed):
            submission.submit_study(actor=cast.alice, project=cast.project, data=chest_png())
