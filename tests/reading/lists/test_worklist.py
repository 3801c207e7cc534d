"""The worklist: whose films wait, in which order one goes on, and that two readers know of each other."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from core.errors import NotAllowed
from diagnosis.intake.submission import submit_study
from diagnosis.models import Study
from reading.lists.worklist import position_of, queue_of
from reading.models import ReadingClaim
from reading.reviews.claims import claim_film, claim_of_another, release_claim, renew_claim
from reading.reviews.service import review_study
from tests.support.cast import PASSWORD, Cast
from tests.support.inputs.films import chest_png

HTMX = {"HX-Request": "true"}
PARTS = ("reviews", "marks")


@pytest.fixture
def films(study: Study, cast: Cast) -> list[Study]:
    """Three films of Ward 7, oldest first."""
    more = [
        submit_study(actor=cast.alice, project=cast.project, data=chest_png(seed=n)).study for n in (1, 2)
    ]
    return [study, *more]


def sign(reader: User, study: Study) -> None:
    review_study(actor=reader, study=study, finding="normal", confidence=70, sign=True)


def end_claims() -> None:
    ReadingClaim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def panel(client: Client, study: Study) -> str:
    return client.get(reverse("study-reviews", args=[study.uid]), headers=HTMX).content.decode()


def test_the_queue_holds_films_of_my_projects_without_my_signed_read(
    cast: Cast, films: list[Study], rob: User
) -> None:
    foreign = submit_study(actor=cast.otto, project=cast.other_project, data=chest_png(seed=9)).study
    sign(rob, films[0])
    sign(cast.rania, films[1])
    review_study(actor=cast.rania, study=films[2], finding="normal", confidence=5)
    assert list(queue_of(cast.rania)) == [films[0], films[2]]
    assert list(queue_of(rob)) == [films[1], films[2]]
    assert list(queue_of(cast.otto)) == [foreign]


def test_one_goes_on_in_order_past_films_that_others_read_and_round_the_end(
    cast: Cast, films: list[Study], rob: User
) -> None:
    first, second, third = films
    assert position_of(cast.rania, first).following == second.uid
    assert position_of(cast.rania, third).following == first.uid
    assert (position_of(cast.rania, first).previous, position_of(cast.rania, third).previous) == (
        None,
        second.uid,
    )
    claim_film(actor=rob, study=second)
    assert position_of(cast.rania, first).following == third.uid
    assert position_of(rob, first).following == second.uid
    sign(cast.rania, first)
    assert (position_of(cast.rania, first).following, position_of(cast.rania, first).left) == (third.uid, 2)


def test_a_film_is_held_until_the_claim_ends_or_is_given_back(cast: Cast, study: Study, rob: User) -> None:
    assert claim_film(actor=cast.rania, study=study)
    assert not claim_film(actor=rob, study=study)
    end_claims()
    assert claim_film(actor=rob, study=study)
    release_claim(actor=cast.rania, study=study)
    assert claim_of_another(cast.rania, study) is not None
    release_claim(actor=rob, study=study)
    assert claim_of_another(cast.rania, study) is None


def test_taking_over_is_known_to_both_and_recorded(cast: Cast, study: Study, rob: User) -> None:
    claim_film(actor=cast.rania, study=study)
    claim_film(actor=cast.rania, study=study)
    assert claim_film(actor=rob, study=study, take_over=True)
    assert not renew_claim(actor=cast.rania, study=study)
    events = AuditEvent.objects.filter(verb__startswith="reading_").order_by("seq")
    assert [(event.verb, event.actor_name) for event in events] == [
        ("reading_begun", "rania"),
        ("reading_taken_over", "rob"),
    ]
    assert events[1].details == {"from_reader": cast.rania.pk}


def test_a_claim_that_has_ended_is_not_renewed(cast: Cast, study: Study) -> None:
    claim_film(actor=cast.rania, study=study)
    assert renew_claim(actor=cast.rania, study=study)
    end_claims()
    assert not renew_claim(actor=cast.rania, study=study)


@pytest.mark.parametrize("who", ["alice", "otto", "aude", "nobody"])
def test_only_readers_of_the_project_take_a_film(cast: Cast, study: Study, who: str) -> None:
    with pytest.raises(NotAllowed):
        claim_film(actor=getattr(cast, who), study=study)
    assert not ReadingClaim.objects.exists()


def test_opening_the_panel_takes_the_film_and_signing_gives_it_back(
    client: Client, cast: Cast, study: Study
) -> None:
    client.force_login(cast.rania)
    panel(client, study)
    assert ReadingClaim.objects.get().reader == cast.rania
    fields = {"finding": "normal", "confidence": "70", "action": "sign", "password": PASSWORD}
    client.post(reverse("study-reviews", args=[study.uid]), fields, headers=HTMX)
    assert not ReadingClaim.objects.exists()


@pytest.mark.parametrize("who", ["alice", "aude"])
def test_looking_on_takes_nothing(client: Client, cast: Cast, study: Study, who: str) -> None:
    client.force_login(getattr(cast, who))
    panel(client, study)
    assert not ReadingClaim.objects.exists()


def test_a_second_reader_is_told_and_may_go_on_knowingly(
    client: Client, cast: Cast, study: Study, rob: User
) -> None:
    claim_film(actor=rob, study=study)
    client.force_login(cast.rania)
    page = panel(client, study)
    assert "Being read by rob" in page
    assert "Save draft" not in page
    page = client.post(reverse("study-claim", args=[study.uid]), headers=HTMX, follow=True).content.decode()
    assert "Save draft" in page
    assert ReadingClaim.objects.get().reader == cast.rania


def test_the_first_reader_hears_of_it(client: Client, cast: Cast, study: Study, rob: User) -> None:
    client.force_login(cast.rania)
    panel(client, study)
    keep = reverse("study-claim", args=[study.uid])
    assert "HX-Trigger" not in client.post(keep, {"keep": "1"}).headers
    claim_film(actor=rob, study=study, take_over=True)
    response = client.post(keep, {"keep": "1"})
    assert (response.status_code, "rob" in response["HX-Trigger"]) == (204, True)


@pytest.mark.parametrize(("who", "status"), [("alice", 403), ("otto", 404)])
def test_others_take_nothing_over(client: Client, cast: Cast, study: Study, who: str, status: int) -> None:
    client.force_login(getattr(cast, who))
    assert client.post(reverse("study-claim", args=[study.uid])).status_code == status
    assert not ReadingClaim.objects.exists()


def test_the_page_shows_what_waits_and_who_reads_it(
    client: Client, cast: Cast, films: list[Study], rob: User
) -> None:
    claim_film(actor=rob, study=films[0])
    review_study(actor=cast.rania, study=films[1], finding="normal", confidence=5)
    sign(cast.rania, films[2])
    client.force_login(cast.rania)
    page = client.get(reverse("worklist")).content.decode()
    assert "2 films without your signed read" in page
    assert "Being read by rob" in page
    assert "Your draft" in page
    assert films[2].reference not in page
    assert f'class="btn btn-primary" href="{films[1].get_absolute_url()}"' in page


def test_the_page_narrows_to_a_project_of_mine_and_ignores_others(
    client: Client, cast: Cast, films: list[Study]
) -> None:
    client.force_login(cast.rania)
    for slug, waiting in (("ward-7", 3), ("general", 0), ("elsewhere", 3), ("\x00", 3)):
        page = client.get(reverse("worklist"), {"project": slug}).content.decode()
        assert f"{waiting} films without" in page, slug


def test_the_first_look_at_a_film_asks_few_questions_too(client: Client, cast: Cast, study: Study) -> None:
    """It also takes the film and records that: five statements more."""
    client.force_login(cast.rania)
    client.get(study.get_absolute_url())  # the film's page comes first, and prolongs the session
    with CaptureQueriesContext(connection) as seen:
        panel(client, study)
    assert (
        len([query for query in seen if "SAVEPOINT" not in query["sql"]]) <= 18
    )  # with the session's own three


@pytest.mark.parametrize("count", [1, 12])
def test_page_and_panel_ask_few_questions(client: Client, cast: Cast, study: Study, count: int) -> None:
    for seed in range(1, count):
        submit_study(actor=cast.alice, project=cast.project, data=chest_png(seed=seed))
    client.force_login(cast.rania)
    for address in (reverse("worklist"), *(reverse(f"study-{part}", args=[study.uid]) for part in PARTS)):
        client.get(address)
        with CaptureQueriesContext(connection) as seen:
            client.get(address)
        assert len(seen) <= 15, [query["sql"][:90] for query in seen]
