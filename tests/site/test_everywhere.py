"""Properties of every address: it carries the disclaimer and shows no film in the trash."""

import json
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit import trail
from diagnosis.models import ModelVersion, Study
from diagnosis.studies.trash import move_to_trash
from reading.models import Review
from reading.reviews.service import review_study
from tests.reading.views.test_history import predict, put_in
from tests.site.test_access_matrix import address, is_admin
from tests.support.cast import Cast
from tests.support.routes import Route, all_routes

DISCLAIMER = "Research and education only. Not for clinical use."
LISTS = ["studies", "api-study-list", "api-prediction-list", "api-review-list"]
# Parts of pages that already carry it, and bare acknowledgements.
WITHOUT_DISCLAIMER = {
    "study-status",
    "study-reviews",
    "study-states",
    "system-banner",
    "batch-status",
    "notification-bell",
}


def own_routes() -> list[Route]:
    return [route for route in all_routes() if not is_admin(route)]


def body(answer: Any) -> str:
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()


@pytest.fixture
def review(finished_study: Study, cast: Cast) -> Review:
    """Rania's opinion on Alice's film."""
    study = Study.objects.get(pk=finished_study.pk)
    return review_study(actor=cast.rania, study=study, finding="normal", confidence=70, agrees_with_ai=False)


@pytest.fixture
def administrator(cast: Cast) -> Client:
    """Adam, who may do most; server errors are answered, not raised."""
    client = Client(raise_request_exception=False)
    client.force_login(cast.adam)
    return client


def test_every_page_and_every_answer_of_the_api_carries_the_disclaimer(
    administrator: Client,
    review: Review,
) -> None:
    pages, answers = 0, 0
    for route in own_routes():
        answer = administrator.get(address(route, review), follow=True)
        if answer.status_code == 405:
            continue
        kind = answer["Content-Type"].partition(";")[0]
        if kind == "text/html" and route.name not in WITHOUT_DISCLAIMER:
            assert DISCLAIMER in body(answer), route
            pages += 1
        elif kind in ("application/json", "application/problem+json"):
            assert json.loads(body(answer))["disclaimer"] == DISCLAIMER, route
            answers += 1
    assert (pages > 8, answers > 15) == (True, True), (pages, answers)
    assert settings.DISCLAIMER == DISCLAIMER


def test_a_film_in_the_trash_is_at_none_of_its_addresses(
    administrator: Client,
    cast: Cast,
    review: Review,
) -> None:
    routes = [route for route in own_routes() if "<uuid:uid>" in route.pattern]
    found = [route for route in routes if administrator.get(address(route, review)).status_code == 200]
    assert len(found) > 10
    move_to_trash(actor=cast.adam, study=review.study)
    for route in found:
        assert administrator.get(address(route, review)).status_code == 404, route


@pytest.mark.parametrize("name", LISTS)
def test_a_film_in_the_trash_is_in_no_list(
    administrator: Client,
    cast: Cast,
    review: Review,
    name: str,
) -> None:
    uid = str(review.study.uid)
    assert uid in body(administrator.get(reverse(name)))
    move_to_trash(actor=cast.adam, study=review.study)
    assert uid not in body(administrator.get(reverse(name)))


@pytest.mark.parametrize("name", [*LISTS, "api-audit-list"])
def test_the_number_of_queries_does_not_grow_with_the_list(
    administrator: Client, cast: Cast, active_model: ModelVersion, name: str
) -> None:
    asked = []
    administrator.get(reverse("home"))  # prolongs the session, which the next minute's pages need not do
    for numbers in (range(2), range(2, 12)):
        for number in numbers:
            study = put_in(cast.alice, cast.project, number=number)
            predict(study, active_model, 0.7)
            review_study(
                actor=cast.rania, study=study, finding="pneumonia", confidence=80, agrees_with_ai=True
            )
            trail.record(actor=cast.alice, verb="study_viewed", target=study)
        with CaptureQueriesContext(connection) as queries:
            assert administrator.get(reverse(name)).status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1]
