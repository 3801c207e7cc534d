"""The reading form's region and its time: what is stored, what is refused, what a page may claim."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from diagnosis.models import Study
from reading.models import Review
from reading.region import Region, RegionRefused
from reading.reviews.service import ReadingTime, review_study
from reading.reviews.timing import LONGEST, new_opening, seconds_since
from tests.support import api
from tests.support.cast import Cast

FORM = {"agrees_with_ai": "no", "finding": "normal", "confidence": "70"}
EDGES = ("region_left", "region_top", "region_width", "region_height")


def send(client: Client, study: Study, **fields: Any) -> Any:
    address = reverse("study-reviews", args=[study.uid])
    return client.post(address, {**FORM, **fields}, headers={"HX-Request": "true"})


def edges(*values: object) -> dict[str, object]:
    return dict(zip(EDGES, values, strict=True))


def test_a_region_in_film_pixels_is_stored_in_shares_and_shown_in_pixels(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    client.force_login(cast.rania)
    width, height = finished_study.width, finished_study.height
    response = send(client, finished_study, **edges(width // 4, 0, width - width // 4, height // 2))
    assert response.status_code == 200
    region = Review.objects.get().region
    assert region is not None
    assert region.x == pytest.approx((width // 4) / width)
    assert region.in_pixels((width, height)) == {
        "left": width // 4,
        "top": 0,
        "width": width - width // 4,
        "height": height // 2,
    }
    assert f'value="{width // 4}"' in response.content.decode()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (("1", "1", "", "5"), "A region needs all four numbers."),
        (("1", "1", "0", "5"), "The region must have a size and lie on the film."),
        (("1", "1", "99999", "5"), "The region must have a size and lie on the film."),
        (("-1", "1", "5", "5"), "Pixels are counted from 0."),
        (("x", "1", "5", "5"), "Pixels are whole numbers."),
    ],
)
def test_an_impossible_region_is_named_and_nothing_is_saved(
    client: Client, cast: Cast, finished_study: Study, values: tuple[str, ...], sentence: str
) -> None:
    client.force_login(cast.rania)
    response = send(client, finished_study, **edges(*values))
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not Review.objects.exists()


@pytest.mark.parametrize(
    "numbers",
    [(0.5, 0, 0.6, 0.1), (0, 0, 0, 0.1), (-0.1, 0, 0.5, 0.5), (0, 0, float("nan"), 0.5), (0, 0, 1.1, 1)],
)
def test_a_region_off_the_film_is_refused(numbers: tuple[float, ...]) -> None:
    with pytest.raises(RegionRefused):
        Region(*numbers).checked()


@pytest.mark.parametrize("numbers", [(0.5, 0.5, 0.6, 0.1), (0.5, 0.5, None, 0.1), (0.1, 0.1, 0.0, 0.1)])
def test_the_database_refuses_it_too(cast: Cast, finished_study: Study, numbers: tuple[Any, ...]) -> None:
    names = ("region_x", "region_y", "region_width", "region_height")
    with pytest.raises(IntegrityError), transaction.atomic():
        Review.objects.create(
            study=finished_study,
            reader=cast.rania,
            finding="normal",
            confidence=1,
            **dict(zip(names, numbers, strict=True)),
        )


def test_the_api_takes_and_gives_a_region_in_shares(cast: Cast, finished_study: Study) -> None:
    region = {"x": 0.25, "y": 0.5, "width": 0.75, "height": 0.25}
    opinion = {"study": str(finished_study.uid), "finding": "other", "confidence": 5, "agrees_with_ai": False}
    client = api.client_of(cast.rania)
    answer = client.post("/api/v1/reviews/", {**opinion, "region": region}, format="json")
    assert answer.status_code == 201
    assert answer.json()["region"] == region
    off = client.post("/api/v1/reviews/", {**opinion, "region": {**region, "x": 0.9}}, format="json")
    api.assert_problem(off, 400, "region_invalid")
    part = client.post("/api/v1/reviews/", {**opinion, "region": {"x": 0.1}}, format="json")
    api.assert_problem(part, 400, "invalid")
    assert Review.objects.count() == 1


def test_time_is_measured_from_handing_out_the_form_to_taking_it_back(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    import time

    client.force_login(cast.rania)
    earlier = new_opening(study=finished_study.uid, reader=cast.rania.pk, now=time.time() - 95)
    send(client, finished_study, opened=earlier, active_seconds="40")
    review = Review.objects.get()
    assert 95 <= (review.open_seconds or 0) <= 100
    assert review.active_seconds == 40


def test_the_form_carries_its_opening_and_keeps_it_after_a_mistake(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    client.force_login(cast.rania)
    page = client.get(reverse("study-reviews", args=[finished_study.uid])).content.decode()
    assert 'name="opened" value="' in page
    opening = new_opening(study=finished_study.uid, reader=cast.rania.pk, now=1000.0)
    wrong = send(client, finished_study, finding="", opened=opening, active_seconds="7").content.decode()
    assert f'name="opened" value="{opening}"' in wrong
    assert 'name="active_seconds" value="7"' in wrong


@pytest.mark.parametrize("active", ["-5", "many", "1e9", "9" * 30, "²"])
def test_odd_counts_of_the_page_are_left_out_and_never_keep_anybody_from_saving(
    client: Client, cast: Cast, finished_study: Study, active: str
) -> None:
    client.force_login(cast.rania)
    assert send(client, finished_study, opened="forged", active_seconds=active).status_code == 200
    review = Review.objects.get()
    assert (review.open_seconds, review.active_seconds) == (None, None)


def test_a_page_cannot_claim_more_work_than_the_form_was_out(cast: Cast, finished_study: Study) -> None:
    review = review_study(
        actor=cast.rania,
        study=finished_study,
        finding="normal",
        confidence=5,
        agrees_with_ai=True,
        time=ReadingTime(open_seconds=30, active_seconds=4000),
    )
    assert review.active_seconds == 30


def test_times_of_drafts_add_up_and_an_addendum_begins_anew(cast: Cast, finished_study: Study) -> None:
    def save(seconds: int, *, sign: bool = False) -> int | None:
        return review_study(
            actor=cast.rania,
            study=finished_study,
            finding="normal",
            confidence=5,
            agrees_with_ai=True,
            time=ReadingTime(open_seconds=seconds, active_seconds=1),
            sign=sign,
        ).open_seconds

    assert [save(10), save(20, sign=True), save(5)] == [10, 30, 5]


def test_an_opening_is_good_for_one_reader_and_one_film(cast: Cast, study: Study) -> None:
    opening = new_opening(study=study.uid, reader=1, now=0.0)
    assert seconds_since(opening, study=study.uid, reader=1) == LONGEST
    assert seconds_since(opening, study=study.uid, reader=2) is None
    assert seconds_since(opening + "x", study=study.uid, reader=1) is None
