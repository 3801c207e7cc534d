"""Films that crash, starve or hang their worker fail with a reason; the good ones are analysed."""

from collections.abc import Callable

import pytest

from tests.reliability.helpers.fake_network import HARMS
from tests.reliability.helpers.uploader import Uploader

pytestmark = pytest.mark.worker
GOOD = 20


def test_films_that_harm_their_worker_fail_after_three_attempts_and_the_good_ones_are_analysed(
    light: Uploader, record_property: Callable[..., None]
) -> None:
    before = len(light.statuses())
    for number in range(GOOD):
        light.upload()
        if number % 5 == 2:
            light.upload(subject_code=list(HARMS)[number // 5])
    light.wait_until_all_are_through(seconds=180)
    rows = light.stack.query(
        "select study.subject_code, prediction.status, prediction.failure_code, prediction.attempts "
        "from diagnosis_prediction prediction join diagnosis_study study on study.id = prediction.study_id "
        f"order by prediction.id limit -1 offset {before}"
    )
    poison = [row for row in rows if row[0]]
    good = [row for row in rows if not row[0]]
    assert sorted(poison) == sorted((harm, "failed", "gave_up", 3) for harm in HARMS)
    assert [status for _, status, _, _ in good] == ["succeeded"] * GOOD
    record_property("attempts_of_good_films", sorted(attempts for *_, attempts in good))
    assert all(attempts <= 2 for *_, attempts in good)
