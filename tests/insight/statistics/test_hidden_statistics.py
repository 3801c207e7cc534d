"""No statistic tells a reader of films whose result is hidden from them: not by a number, picture or file."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import roles
from diagnosis.models import ModelVersion, Prediction, Project, ResultDisclosure, Study
from insight.statistics.dashboard import KEYS
from reading.models import ReadingSettings, Review
from tests.insight.some_hundred import bring_in, have_read
from tests.support import api
from tests.support.cast import Cast, person
from tests.support.second_factor import just_signed_in

# What may differ with who asks but never with a hidden result.
OF_RESULTS = [key for key in KEYS if key not in ("volumes", "time-to-result")]


@pytest.fixture
def films(cast: Cast, rob: User, active_model: ModelVersion) -> list[Study]:
    """120 films of a project that hides the AI; Rob has read most of them, Rania none."""
    Project.objects.filter(pk=cast.project.pk).update(ai_visibility=Project.AiVisibility.HIDDEN)
    studies = bring_in(cast.project, cast.alice, active_model, films=120)
    have_read(rob, studies)
    return studies


def turn_every_result_round() -> None:
    """Give each film the opposite result."""
    for result in Prediction.objects.filter(status="succeeded"):
        result.calibrated_probability = 1 - (result.calibrated_probability or 0)
        result.outcome = "normal" if result.outcome == "pneumonia" else "pneumonia"
        result.save()


def everything(user: User) -> dict[str, str]:
    """All that the doors of insight say to a person about films, without moments of time and tokens."""
    client = Client()
    just_signed_in(client, user)
    said = {}
    page = client.get(reverse("dashboard")).content.decode()
    said["page"] = page[page.index('class="pw-filters"') :]
    for key in KEYS:
        answer: Any = client.get(reverse("dashboard-csv", args=[key]) + "?project=ward-7")
        lines = b"".join(answer.streaming_content).decode().splitlines()
        said[key] = "\n".join(line for line in lines if not line.startswith("# made"))
    said["api"] = api.client_of(user).get("/api/v1/statistics/?weeks=52").content.decode()
    said["projects"] = client.get(reverse("projects")).content.decode().partition('class="pw-projects"')[2]
    project = client.get(reverse("project", args=["ward-7"])).content.decode()
    said["project"] = project.partition('class="pw-projects"')[2]
    return said


def root() -> User:
    return User.objects.create_superuser("root")


@pytest.mark.parametrize("who", ["rania", "root", "uploading reader"])
def test_nothing_that_a_reader_is_told_depends_on_hidden_results(
    cast: Cast, films: list[Study], who: str
) -> None:
    """The strongest form: with every hidden result turned round, not one character changes."""
    cast.alice.groups.add(Group.objects.get(name="reader"))
    person = {"rania": cast.rania, "root": root(), "uploading reader": User.objects.get(pk=cast.alice.pk)}[
        who
    ]
    before = everything(person)
    turn_every_result_round()
    assert everything(person) == before
    assert len(before) == len(KEYS) + 4


def test_nor_on_what_others_said_of_films_one_has_not_signed(cast: Cast, films: list[Study]) -> None:
    before = everything(cast.rania)
    have_read(person("zoe", cast.project, roles.READER), films, skill=0.05, seed=9)
    assert "zoe" in everything(cast.aude)["reader-reader"]
    after = everything(cast.rania)
    for key in OF_RESULTS:
        assert after[key] == before[key], key
    assert after["page"] == before["page"]


def test_who_is_no_reader_is_told(cast: Cast, films: list[Study]) -> None:
    before = everything(cast.aude)
    turn_every_result_round()
    after = everything(cast.aude)
    for key in ("reader-ai", "confusion", "roc", "scores", "page", "api"):
        assert after[key] != before[key], key
    assert after["volumes"] == before["volumes"]


def test_a_signed_read_opens_this_film_to_statistics_and_no_other(cast: Cast, films: list[Study]) -> None:
    known = [film for film in films if Prediction.objects.filter(study=film, status="succeeded").exists()][:7]
    for film in known:
        Review.objects.create(
            study=film, reader=cast.rania, finding="normal", confidence=60, signed_at=timezone.now()
        )
        ResultDisclosure.objects.create(study=film, reader=cast.rania)
    client = Client()
    just_signed_in(client, cast.rania)
    page = client.get(reverse("dashboard")).content.decode()
    assert "The AI results of 113 films of these weeks are hidden from you." in page
    answer: Any = client.get(reverse("dashboard-csv", args=["scores"]))
    assert "# n,7 results" in b"".join(answer.streaming_content).decode()
    others = [film.pk for film in films if film not in known]
    before = everything(cast.rania)
    Prediction.objects.filter(study__in=others, status="succeeded").update(
        calibrated_probability=0.01, outcome="normal"
    )
    assert everything(cast.rania) == before


def test_a_reader_without_signed_reads_gets_numbers_of_films_alone(cast: Cast, films: list[Study]) -> None:
    figures = api.client_of(cast.rania).get("/api/v1/statistics/").json()["figures"]
    assert {figure["key"]: figure["n"] for figure in figures if figure["key"] in OF_RESULTS} == dict.fromkeys(
        OF_RESULTS, 0
    )
    assert next(figure["n"] for figure in figures if figure["key"] == "volumes") == 120


def test_where_reads_are_blind_others_reads_are_not_counted_though_the_ai_is_shown(
    cast: Cast, films: list[Study]
) -> None:
    Project.objects.filter(pk=cast.project.pk).update(ai_visibility=Project.AiVisibility.SHOWN)
    ReadingSettings.objects.create(project=cast.project, reads_blind=True)
    figures = api.client_of(cast.rania).get("/api/v1/statistics/").json()["figures"]
    counted = {figure["key"]: figure["n"] for figure in figures}
    assert counted["scores"] > 100
    assert [counted[key] for key in ("reader-ai", "reader-reader", "confusion", "roc")] == [0, 0, 0, 0]
