"""The prefetcher returns the right film or none, never waits, and never claims a row."""

from threading import Event

import numpy as np
import pytest

from diagnosis.inference import prefetch
from diagnosis.inference.prefetch import Grey, Prefetcher, decode_next
from diagnosis.inference.worker import run_prediction
from diagnosis.models import Prediction, Study
from diagnosis.storage.display_copy import pixels_of
from pneumoml.network.predictor import FilmResult
from tests.support.results import film_result


def decoded(prefetcher: Prefetcher) -> None:
    """Wait for the thread to finish."""
    assert prefetcher._next is not None
    prefetcher._next.result(timeout=30)


@pytest.fixture(autouse=True)
def _no_database_in_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diagnosis.inference.prefetch.connection.close", lambda: None)


def test_the_film_that_has_waited_longest_is_decoded_and_its_row_stays_free(study: Study) -> None:
    found = decode_next()
    assert found is not None
    assert found[0] == study.pk
    assert np.array_equal(found[1], pixels_of(study))
    prediction = Prediction.objects.get()
    assert (prediction.status, prediction.attempts, prediction.lease_token) == ("queued", 0, None)
    Prediction.objects.update(status="running")
    assert decode_next() is None


def test_only_the_requested_film_is_returned_and_only_once(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = np.zeros((8, 8), np.uint8)
    prefetcher = Prefetcher()
    for key, expected in ((study.pk, film), (study.pk + 1, None)):
        monkeypatch.setattr(prefetch, "decode_next", lambda key=key: (key, film))
        prefetcher.start()
        decoded(prefetcher)
        assert prefetcher.take(study) is expected
        assert prefetcher.take(study) is None


def test_a_film_still_being_decoded_is_not_waited_for(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Event()

    def slow() -> tuple[int, Grey] | None:
        gate.wait(30)
        return None

    monkeypatch.setattr(prefetch, "decode_next", slow)
    prefetcher = Prefetcher()
    prefetcher.start()
    assert prefetcher.take(study) is None
    gate.set()
    decoded(prefetcher)


def test_an_error_while_prefetching_is_not_raised(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> tuple[int, Grey] | None:
        raise OSError("the store does not answer")

    monkeypatch.setattr(prefetch, "decode_next", broken)
    prefetcher = Prefetcher()
    prefetcher.start()
    decoded(prefetcher)
    assert prefetcher.take(study) is None


def test_a_prefetched_film_gets_its_own_result(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Grey] = []

    class RecordingPredictor:
        def predict(self, pixels: Grey, *, colour_fraction: float) -> FilmResult:
            seen.append(pixels)
            return film_result()

    film = np.full((40, 40), 7, np.uint8)
    monkeypatch.setattr("diagnosis.inference.predictors._load", lambda *identity: RecordingPredictor())
    monkeypatch.setattr(prefetch, "decode_next", lambda: (study.pk, film))
    prefetcher = Prefetcher()
    prefetcher.start()
    decoded(prefetcher)
    run_prediction(prediction_uid=str(Prediction.objects.get().uid), prefetcher=prefetcher)
    assert seen == [film]
    assert Prediction.objects.get().status == "succeeded"
