"""Saved views: filters under a name, one's own or shared; the worklist's order and filters."""

import pytest
from django.test import Client
from django.urls import reverse

from core.errors import NotAllowed
from diagnosis.intake.submission import submit_study
from diagnosis.models import Prediction, Project, Study
from reading.lists.saved_views import ViewRefused, remove_view, save_view
from reading.lists.worklist import WorklistQuery, position_of, queue_of
from reading.models import SavedView
from tests.support.cast import Cast
from tests.support.inputs.films import chest_png
from tests.support.pages import flat


def keep(client: Client, **changes: str) -> None:
    fields = {"page": "films", "name": "Mine", "query": "review=unreviewed&cursor=x&nonsense=1", **changes}
    client.post(reverse("save-view"), fields)


def test_a_view_keeps_the_filters_alone_and_leads_back_to_them(client: Client, cast: Cast) -> None:
    client.force_login(cast.rania)
    keep(client)
    keep(client, page="worklist", name="Oldest", query="order=oldest&project=")
    assert [view.query for view in SavedView.objects.order_by("page")] == [
        "review=unreviewed",
        "order=oldest",
    ]
    page = flat(client.get("/studies/?review=unreviewed").content)
    assert '<a class="btn btn-quiet" href="/studies/?review=unreviewed" aria-current="page">Mine</a>' in page
    assert 'href="/worklist/?order=oldest"' in client.get("/worklist/").content.decode()


def test_the_same_name_replaces_it_and_its_owner_drops_it(client: Client, cast: Cast) -> None:
    client.force_login(cast.rania)
    keep(client)
    keep(client, query="q=PW")
    view = SavedView.objects.get()
    assert view.query == "q=PW"
    with pytest.raises(NotAllowed):
        remove_view(actor=cast.alice, view=view)
    client.force_login(cast.alice)
    assert client.post(reverse("remove-view", args=[view.uid])).status_code == 404
    client.force_login(cast.rania)
    assert client.post(reverse("remove-view", args=[view.uid])).status_code == 302
    assert not SavedView.objects.exists()


def test_a_shared_view_is_there_for_the_project_and_for_nobody_else(client: Client, cast: Cast) -> None:
    client.force_login(cast.rania)
    keep(client, name="Weekly", shared_with="ward-7")
    keep(client, name="Private")
    for who, shared in ((cast.alice, True), (cast.otto, False), (cast.nobody, False)):
        visitor = Client()
        visitor.force_login(who)
        page = visitor.get("/studies/").content.decode()
        assert ("Weekly" in page) is shared
        assert "Private" not in page


def test_one_shares_only_with_projects_one_works_in(client: Client, cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        save_view(actor=cast.rania, page="films", name="x", query="", shared_with=cast.other_project)
    client.force_login(cast.rania)
    keep(client, shared_with="elsewhere")
    assert SavedView.objects.get().shared_with is None


@pytest.mark.parametrize(
    "changes",
    [{"page": "x"}, {"name": ""}, {"name": "x" * 61}, {"name": "a\x00b"}, {"query": "q=" + "x" * 700}],
)
def test_what_makes_no_sense_is_not_kept(client: Client, cast: Cast, changes: dict[str, str]) -> None:
    client.force_login(cast.rania)
    keep(client, **changes)
    assert not SavedView.objects.exists()


def test_nobody_keeps_views_without_end(cast: Cast) -> None:
    for number in range(50):
        save_view(actor=cast.rania, page="films", name=str(number), query="")
    with pytest.raises(ViewRefused):
        save_view(actor=cast.rania, page="films", name="one more", query="")


# --- The worklist's order and filters -----------------------------------------------------------------


@pytest.fixture
def films(study: Study, cast: Cast) -> list[Study]:
    """Three films of Ward 7, oldest first, with scores of the AI."""
    more = [
        submit_study(
            actor=cast.alice, project=cast.project, data=chest_png(seed=n), subject_code=f"S-{9 - n}"
        ).study
        for n in (1, 2)
    ]
    made = [study, *more]
    for film, score in zip(made, (0.2, 0.9, 0.5), strict=True):
        Prediction.objects.filter(study=film).update(
            status="succeeded", calibrated_probability=score, probability=score, cam=[[0.0]]
        )
    return made


@pytest.mark.parametrize(
    ("order", "expected"),
    [("oldest", [0, 1, 2]), ("newest", [2, 1, 0]), ("subject", [0, 2, 1]), ("score", [1, 2, 0])],
)
def test_next_and_previous_follow_the_order_of_the_list(
    cast: Cast, films: list[Study], order: str, expected: list[int]
) -> None:
    query = WorklistQuery(order=order)
    first, second, third = (films[number] for number in expected)
    assert list(queue_of(cast.rania, query)) == [first, second, third]
    place = position_of(cast.rania, second, query)
    assert (place.previous, place.following) == (first.uid, third.uid)
    assert position_of(cast.rania, third, query).following == first.uid
    assert position_of(cast.rania, first, query).previous is None


def test_a_withheld_score_orders_nothing(cast: Cast, films: list[Study]) -> None:
    Project.objects.update(ai_visibility=Project.AiVisibility.HIDDEN)
    assert list(queue_of(cast.rania, WorklistQuery(order="score"))) == films
    assert position_of(cast.rania, films[0], WorklistQuery(order="score")).following == films[1].uid


def test_the_films_page_goes_by_the_list_that_was_opened_last(
    client: Client, cast: Cast, films: list[Study]
) -> None:
    client.force_login(cast.rania)
    client.get("/worklist/?order=newest")
    panel = flat(client.get(reverse("study-reviews", args=[films[1].uid])).content)
    assert f'rel="next" href="{films[0].get_absolute_url()}"' in panel
    client.get("/worklist/")
    panel = flat(client.get(reverse("study-reviews", args=[films[1].uid])).content)
    assert f'rel="next" href="{films[2].get_absolute_url()}"' in panel
