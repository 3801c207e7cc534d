"""The dashboard: its figures on some hundred films, the rule of small numbers, CSV, cost, bad input."""

import csv
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from diagnosis.models import ModelVersion, Prediction, Study
from insight.statistics.dashboard import KEYS, dashboard_of, figure_of
from insight.statistics.figure import Figure
from insight.statistics.period import Period
from insight.statistics.selection import Selection
from insight.statistics.signed_reads import LEAST_OF_EACH, LEAST_READS, LEAST_SUBJECTS
from reading.models import Review
from tests.insight.some_hundred import bring_in, have_read
from tests.support.cast import Cast
from tests.support.second_factor import just_signed_in

MOST_QUERIES = 15


def selection(user: User, model: ModelVersion | None = None, **changes: Any) -> Selection:
    weeks = Period.ending(timezone.localdate(), changes.pop("weeks", 12))
    return Selection(user=user, period=weeks, version=model, **changes)


def as_dicts(figure: Figure) -> list[dict[str, Any]]:
    names = [column.name for column in figure.columns]
    return [dict(zip(names, row, strict=True)) for row in figure.rows]


@pytest.fixture
def films(cast: Cast, rob: User, active_model: ModelVersion) -> list[Study]:
    """300 films of Ward 7 that Rania and Rob have read for the most part."""
    studies = bring_in(cast.project, cast.alice, active_model)
    have_read(cast.rania, studies)
    have_read(rob, studies, skill=0.85, seed=3)
    return studies


def test_volumes_add_up(cast: Cast, films: list[Study], active_model: ModelVersion) -> None:
    figure = figure_of(selection(cast.aude, active_model), "volumes")
    rows = as_dicts(figure)
    counted = {name: sum(row[name] for row in rows) for name in ("films", "ready", "waiting", "failed")}
    states = list(Prediction.objects.values_list("status", flat=True))
    assert counted == {
        "films": 300,
        "ready": states.count("succeeded"),
        "waiting": states.count("queued"),
        "failed": states.count("failed"),
    }
    assert counted["waiting"] > 2
    monday = rows[-1]["week_from"]
    assert rows[-1]["films"] == sum(timezone.localtime(film.created_at).date() >= monday for film in films)


def test_times_are_from_the_queue_to_the_result(
    cast: Cast, films: list[Study], active_model: ModelVersion
) -> None:
    figure = figure_of(selection(cast.aude, active_model), "time-to-result")
    done = Prediction.objects.filter(status="succeeded")
    assert figure.n == done.count()
    last = as_dicts(figure)[-1]
    seconds = sorted(
        (result.finished_at - result.queued_at).total_seconds()  # type: ignore[operator]
        for result in done.select_related("study")
        if timezone.localtime(result.study.created_at).date() >= last["week_from"]
    )
    assert last["results"] == len(seconds)
    assert 0.98 * seconds[0] <= last["median_seconds"] <= last["p95_seconds"] <= 1.02 * seconds[-1]


def test_kappa_and_area_are_those_of_scikit_learn(
    cast: Cast, films: list[Study], active_model: ModelVersion
) -> None:
    reads = (
        Review.objects.reads()
        .exclude(finding="not_readable")
        .filter(study__predictions__status="succeeded")
        .values_list("finding", "study__predictions__calibrated_probability", "study__predictions__outcome")
    )
    sick = [finding == "pneumonia" for finding, _, _ in reads]
    kappa = as_dicts(figure_of(selection(cast.aude, active_model), "reader-ai"))[0]
    assert kappa["n"] == len(sick)
    assert kappa["kappa"] == pytest.approx(
        cohen_kappa_score(sick, [said == "pneumonia" for _, _, said in reads])
    )
    assert kappa["kappa_low"] < kappa["kappa"] < kappa["kappa_high"]
    roc = figure_of(selection(cast.aude, active_model), "roc")
    area = roc_auc_score(sick, [score for _, score, _ in reads])
    assert f"Area under the curve {area:.3f} (95% interval " in roc.sentences[0]
    assert roc.picture is not None


def test_each_two_readers_are_compared_on_films_both_have_signed(
    cast: Cast, rob: User, films: list[Study], active_model: ModelVersion
) -> None:
    (row,) = as_dicts(figure_of(selection(cast.aude, active_model), "reader-reader"))
    readable = Review.objects.exclude(finding="not_readable")
    both = readable.filter(reader=rob, study__in=readable.filter(reader=cast.rania).values("study"))
    assert (row["reader"], row["other_reader"], row["n"]) == ("rania", "rob", both.count())
    assert 0 < row["kappa_low"] < row["kappa"] < row["kappa_high"] < 1


def test_the_matrix_shows_every_finding_and_says_what_is_left_out(
    cast: Cast, films: list[Study], active_model: ModelVersion
) -> None:
    figures = {figure.key: figure for figure in dashboard_of(selection(cast.aude, active_model)).figures}
    assert tuple(figures) == KEYS
    matrix = as_dicts(figures["confusion"])
    assert [row["reads"] > 0 for row in matrix] == [True] * 4
    assert sum(row["reads"] for row in matrix) == figures["confusion"].n
    unreadable = Review.objects.filter(finding="not_readable").count()
    assert f"{unreadable} reads “not readable”" in figures["reader-ai"].sentences[0]


def test_drafts_and_addenda_do_not_count(cast: Cast, films: list[Study], active_model: ModelVersion) -> None:
    before = [figure.rows for figure in dashboard_of(selection(cast.aude, active_model)).figures]
    read = Review.objects.filter(reader=cast.rania).first()
    assert read is not None
    common = {"study": read.study, "confidence": 50, "is_current": False}
    Review.objects.create(
        reader=cast.rania, addendum_to=read, signed_at=timezone.now(), finding="other", **common
    )
    Review.objects.create(reader=cast.otto, finding="other", **common)
    assert [figure.rows for figure in dashboard_of(selection(cast.aude, active_model)).figures] == before


def test_reads_with_the_ai_in_view_are_told_apart(
    cast: Cast, films: list[Study], active_model: ModelVersion
) -> None:
    seen = Prediction.objects.filter(status="succeeded")[:50]
    for result in seen:
        Review.objects.create(
            study=result.study, reader=cast.otto, prediction=result, finding=result.outcome, confidence=90,
            signed_at=timezone.now(),
        )  # fmt: skip
    figure = figure_of(selection(cast.aude, active_model), "reader-ai")
    rows = {row["group"]: row for row in as_dicts(figure)}
    assert rows["AI in view"]["n"] == rows["otto"]["n"] == 50
    assert rows["AI in view"]["kappa"] == 1
    assert rows["AI in view"]["kappa_low"] is None
    assert rows["AI not in view"]["n"] + 50 == rows["All reads"]["n"]
    assert any(sentence.startswith("50 of ") for sentence in figure.sentences)


@pytest.mark.parametrize("missing", ["reads", "subjects", "pneumonia", "nothing"])
def test_few_reads_conclude_nothing(cast: Cast, active_model: ModelVersion, missing: str) -> None:
    """One below each limit there is neither kappa nor curve, only the rule; at the limit there are both."""
    studies = bring_in(cast.project, cast.alice, active_model, films=LEAST_READS)
    Prediction.objects.update(status="queued", calibrated_probability=None)
    subjects = LEAST_SUBJECTS - (missing == "subjects")
    for number, study in enumerate(studies):
        Study.objects.filter(pk=study.pk).update(subject_code=f"X-{number % subjects}")
        score = 0.2 + 0.6 * (number % 3 == 0)
        Prediction.objects.filter(study=study).update(
            status="succeeded",
            calibrated_probability=score,
            cam=[[0.0]],
            outcome="pneumonia" if score > 0.5 else "normal",
        )
    count = LEAST_READS - (missing == "reads")
    sick = set(range(LEAST_OF_EACH - (missing == "pneumonia")))
    for number, study in enumerate(studies[:count]):
        finding = "pneumonia" if number in sick else "normal"
        Review.objects.create(
            study=study, reader=cast.rania, finding=finding, confidence=70, signed_at=timezone.now()
        )
    figures = {figure.key: figure for figure in dashboard_of(selection(cast.aude, active_model)).figures}
    kappa, area = as_dicts(figures["reader-ai"])[0]["kappa"], figures["roc"].rows
    shown = missing == "nothing"
    assert (kappa is not None, bool(area), figures["roc"].picture is not None) == (shown, shown, shown)
    for key in ("reader-ai", "confusion", "roc"):
        assert figures[key].too_few.startswith("Too few to conclude") is not shown, key
    assert any("sensitivity" in sentence for sentence in figures["confusion"].sentences) is shown


def test_another_version_and_other_weeks_are_other_films(
    cast: Cast, films: list[Study], active_model: ModelVersion
) -> None:
    other = ModelVersion.objects.create(
        version="later", architecture="x", weights_sha256="1" * 64, threshold=0.5, borderline_low=0.4,
        borderline_high=0.6, card={}, registered_at=timezone.now(),
    )  # fmt: skip
    figures = {figure.key: figure for figure in dashboard_of(selection(cast.aude, other)).figures}
    assert [figures[key].n for key in ("volumes", "reader-ai", "roc", "scores")] == [300, 0, 0, 0]
    few = figure_of(selection(cast.aude, active_model, weeks=4), "volumes")
    assert 0 < few.n < 200
    assert figure_of(selection(cast.aude, active_model, project=cast.other_project), "volumes").n == 0


def page(user: User, query: str = "") -> Any:
    client = Client()
    client.force_login(user)
    return client.get(reverse("dashboard") + query)


def test_the_page_costs_the_same_for_many_films_and_stays_small(
    cast: Cast, rob: User, active_model: ModelVersion
) -> None:
    asked = []
    client = Client()
    client.force_login(cast.rania)
    client.get(reverse("projects"))  # prolongs the session, which the next minute's pages need not do
    for films in (2, 300):
        studies = bring_in(cast.project, cast.alice, active_model, films=films, seed=films)
        have_read(cast.rania, studies)
        have_read(rob, studies, seed=5)
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(reverse("dashboard") + "?weeks=52")
        assert answer.status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1] <= MOST_QUERIES
    assert len(answer.content) < 100_000
    assert answer.content.decode().count("<svg viewBox") > 6


def test_every_figure_comes_as_csv_with_what_when_n_and_disclaimer(
    cast: Cast, films: list[Study], active_model: ModelVersion
) -> None:
    client = Client()
    just_signed_in(client, cast.aude)
    for figure in dashboard_of(selection(cast.aude, active_model)).figures:
        answer = client.get(reverse("dashboard-csv", args=[figure.key]))
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        assert answer["Content-Disposition"].startswith(f'attachment; filename="pneumoweb-{figure.key}-')
        lines = list(csv.reader(b"".join(answer.streaming_content).decode().splitlines()))  # type: ignore[attr-defined]
        about = {line[0]: line[1] for line in lines if line[0].startswith("# ")}
        assert about["# what"] == figure.title
        assert about["# n"].split()[0] == str(figure.n)
        assert about["# disclaimer"] == "Research and education only. Not for clinical use."
        assert re.fullmatch(r"20\d\d-\d\d-\d\d to 20\d\d-\d\d-\d\d", about["# films uploaded"])
        table = [line for line in lines if not line[0].startswith("# ")]
        assert table[0] == [column.name for column in figure.columns]
        assert len(table) == len(figure.rows) + 1


def test_a_readers_name_is_no_formula_in_a_spreadsheet(cast: Cast, films: list[Study]) -> None:
    User.objects.filter(pk=cast.rania.pk).update(username="+cmd")
    client = Client()
    just_signed_in(client, cast.aude)
    answer = client.get(reverse("dashboard-csv", args=["reader-ai"]))
    assert b"\n'+cmd," in b"".join(answer.streaming_content).replace(b"\r", b"")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "query",
    ["?weeks=1", "?weeks=x", "?until=never", "?until=1999-12-31", "?until=9999-01-01", "?project=no",
     "?version=no", "?project=%00", "?version=%00&weeks=12%00"],
)  # fmt: skip
def test_bad_choices_are_refused_in_words(cast: Cast, active_model: ModelVersion, query: str) -> None:
    answer = page(cast.rania, query)
    assert answer.status_code == 400
    assert "This cannot be shown" in answer.content.decode()
    client = Client()
    just_signed_in(client, cast.rania)
    assert client.get(reverse("dashboard-csv", args=["volumes"]) + query).status_code == 400


@pytest.mark.parametrize("query", ["", "?until=2000-01-01&weeks=52", "?until=2999-12-31", "?project=&weeks="])
def test_without_films_every_figure_says_so(cast: Cast, active_model: ModelVersion, query: str) -> None:
    for person in (cast.rania, cast.nobody, cast.adam):
        answer = page(person, query)
        assert answer.status_code == 200
        assert answer.content.decode().count("n = 0") == len(KEYS)


def test_without_a_model_there_are_still_volumes(cast: Cast) -> None:
    text = page(cast.rania).content.decode()
    assert "Films per week" in text
    assert "local prevalence" not in text


def test_a_foreign_project_is_not_there(cast: Cast, films: list[Study]) -> None:
    assert page(cast.otto, "?project=ward-7").status_code == 400
    assert page(cast.otto).content.decode().count("n = 0") == len(KEYS)


def test_an_unknown_figure_is_not_found(cast: Cast) -> None:
    client = Client()
    just_signed_in(client, cast.rania)
    assert client.get("/dashboard/nothing.csv").status_code == 404
