"""The arithmetic is chosen by what the CPU offers and by results on test films; in doubt it is float32."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakSet

import numpy as np
import pytest
from numpy.typing import NDArray

from pneumoml.network.precision import BFLOAT16, FLOAT32, choose, cpu_flags, offered, sample_films


@dataclass(frozen=True)
class Read:
    calibrated_probability: float


@dataclass(eq=False)
class FakeReader:
    precision: str
    seconds: float
    error: float = 0.0

    def predict(self, pixels: NDArray[np.uint8], /) -> Read:
        time.sleep(self.seconds)
        return Read(float(pixels.mean()) / 255 + self.error)


def chosen(*, seconds: float = 0.0, error: float = 0.0) -> str:
    """Choose between float32 of 20 ms a film and a bfloat16 that takes and errs as told."""

    def load(precision: str) -> FakeReader:
        return FakeReader(precision, *((0.02, 0.0) if precision == FLOAT32 else (seconds, error)))

    return choose(load, (FLOAT32, BFLOAT16))


def test_bfloat16_is_chosen_where_films_read_the_same_and_faster() -> None:
    assert chosen() == BFLOAT16
    assert chosen(error=0.009) == BFLOAT16


def test_float32_stays_where_a_test_film_gets_another_result() -> None:
    assert chosen(error=0.011) == FLOAT32


def test_float32_stays_where_bfloat16_is_not_faster() -> None:
    assert chosen(seconds=0.04) == FLOAT32


def test_only_one_reader_is_in_memory_at_a_time() -> None:
    alive: WeakSet[FakeReader] = WeakSet()

    def load(precision: str) -> FakeReader:
        assert not alive
        reader = FakeReader(precision, 0.0)
        alive.add(reader)
        return reader

    choose(load, (FLOAT32, BFLOAT16))


def test_bfloat16_is_offered_by_cpus_that_compute_in_it_only() -> None:
    assert offered({"avx2", "fma"}) == (FLOAT32,)
    assert offered({"avx2", "avx512f", "avx512_bf16"}) == offered({"amx_bf16"}) == (FLOAT32, BFLOAT16)


def test_flags_are_read_from_linux_and_absent_elsewhere(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nflags\t\t: fpu avx2 avx512_bf16\nbogomips\t: 1\n")
    assert offered(cpu_flags(cpuinfo)) == (FLOAT32, BFLOAT16)
    assert offered(cpu_flags(tmp_path / "nothing")) == (FLOAT32,)


def test_sample_films_are_grey_differ_and_are_the_same_every_time() -> None:
    films = sample_films()
    assert {film.dtype for film in films} == {np.dtype(np.uint8)}
    assert len({film.tobytes() for film in films}) == len(films)
    assert all(np.array_equal(one, other) for one, other in zip(films, sample_films(), strict=True))


@pytest.mark.tensorflow
def test_the_network_computes_in_bfloat16_when_told_to_and_says_so(random_artifact: object) -> None:
    from pneumoml.cards.artifact import Artifact
    from pneumoml.network.predictor import Predictor

    assert isinstance(random_artifact, Artifact)
    film = sample_films()[0]
    exact = Predictor.load(random_artifact).predict(film)
    rough = Predictor.load(random_artifact, precision=BFLOAT16).predict(film)
    assert (exact.precision, rough.precision) == (FLOAT32, BFLOAT16)
    assert rough.logit != exact.logit
    assert rough.calibrated_probability == pytest.approx(exact.calibrated_probability, abs=0.01)
    assert np.corrcoef(rough.cam.ravel(), exact.cam.ravel())[0, 1] > 0.99
