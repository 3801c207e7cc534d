"""Waits for a worker by polling the row, with no transaction open in between."""

from time import monotonic, sleep

from diagnosis.models import Prediction

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.5


def wait_until_finished(*, prediction: Prediction, seconds: float) -> Prediction:
    """Return the prediction as soon as it is finished, or in its present state after `seconds`."""
    deadline, pause = monotonic() + seconds, _FIRST_PAUSE
    while not prediction.is_finished and monotonic() < deadline:
        sleep(pause)
        pause = min(pause * 1.3, _LONGEST_PAUSE)
        prediction.refresh_from_db(fields=["status"])
    prediction.refresh_from_db()
    return prediction
