"""The worklist narrowed to the films of one batch, which next and previous then follow."""

import pytest
from django.test import Client
from django.urls import reverse

from diagnosis.batches.service import add_film, begin_batch
from diagnosis.models import Study
from reading.lists.worklist import WorklistQuery, queue_of
from tests.support.cast import Cast
from tests.support.inputs.films import chest_png


def test_only_the_films_of_the_batch_wait_each_once(client: Client, cast: Cast, study: Study) -> None:
    batch = begin_batch(actor=cast.alice, project=cast.project)
    for seed in (1, 2):
        add_film(actor=cast.alice, batch=batch, data=chest_png(seed=seed))
    batch.items.create(position=3, byte_size=1, outcome="duplicate", study=batch.items.all()[0].study)
    films = [item.study for item in batch.items.filter(outcome="accepted")]
    assert list(queue_of(cast.rania, WorklistQuery.parse({"batch": str(batch.uid)}))) == films
    client.force_login(cast.rania)
    page = client.get(reverse("worklist"), {"batch": str(batch.uid)}).content.decode()
    assert "Films of one batch" in page
    assert study.get_absolute_url() not in page


@pytest.mark.parametrize("value", ["x", "' OR 1=1", "\x00"])
def test_what_is_no_batch_narrows_nothing(client: Client, cast: Cast, study: Study, value: str) -> None:
    client.force_login(cast.rania)
    page = client.get(reverse("worklist"), {"batch": value})
    assert page.status_code == 200
    assert study.get_absolute_url() in page.content.decode()
