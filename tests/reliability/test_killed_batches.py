"""The worker is killed while it unpacks an archive: every film is stored once and analysed once."""

import io
import zipfile
from collections.abc import Callable

import pytest
import requests

from tests.reliability.helpers.uploader import Uploader
from tests.support.inputs.films import chest_png
from tests.support.servers.waiting import wait_until

pytestmark = [pytest.mark.worker, pytest.mark.nightly]
FILMS, KILLS = 60, 6


def archive() -> bytes:
    """Return a ZIP of films that no other test sends."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as out:
        for number in range(FILMS):
            out.writestr(f"{number}.png", chest_png(seed=100_000 + number))
    return data.getvalue()


def test_sixty_films_of_an_archive_survive_six_kills_of_the_worker_that_unpacks_it(
    light: Uploader, record_property: Callable[..., None]
) -> None:
    known = len(light.statuses())
    url = f"{light.stack.url}/api/v1/batches/"
    files = {"archive": ("films.zip", archive(), "application/zip")}
    answer = requests.post(url, files=files, headers=light.headers, timeout=60)
    assert answer.status_code == 201, answer.text

    def stored() -> int:
        return len(light.statuses()) - known

    while_unpacking = 0
    for kill in range(KILLS):
        wait_until(lambda: stored() > kill * FILMS // (KILLS + 1), seconds=120, what="films")  # noqa: B023
        while_unpacking += stored() < FILMS
        light.stack.kill("worker")
        light.stack.start_worker()
    record_property("kills_while_unpacking", while_unpacking)
    wait_until(lambda: stored() == FILMS, seconds=300, what="the whole archive")
    light.wait_until_all_are_through(seconds=120)
    batch = requests.get(answer.json()["links"]["self"], headers=light.headers, timeout=60).json()
    progress = batch["progress"]
    assert (progress["accepted"], progress["duplicate"], progress["refused"]) == (FILMS, 0, 0)
    assert set(light.statuses()[known:]) == {"succeeded"}
    assert light.results()[known:] == [1] * FILMS
    light.stack.manage("check_storage")
