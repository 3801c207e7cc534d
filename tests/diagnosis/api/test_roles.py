"""Permissions of the API as one table."""

from typing import Any

import pytest

from audit.models import AuditEvent
from diagnosis.models import Prediction, Study
from tests.support.api import assert_problem, client_of, film_upload
from tests.support.cast import Cast

PEOPLE = ["anonymous", "alice", "rania", "otto", "aude", "adam", "nobody"]


def row(*statuses: int) -> dict[str, int]:
    """One line of the table."""
    return dict(zip(PEOPLE, statuses, strict=True))


# alice uploads, rania reads, otto belongs elsewhere, aude audits, adam administers, nobody has no role.
TABLE: dict[str, dict[str, int]] = {
    # anonymous, alice, rania, otto, aude, adam, nobody
    "GET /studies/":               row(401, 200, 200, 200, 200, 200, 200),
    "POST /studies/":              row(401, 201, 403, 201, 403, 201, 403),
    "GET /studies/{id}/":          row(401, 200, 200, 404, 200, 200, 404),
    "DELETE /studies/{id}/":       row(401, 403, 403, 404, 403, 204, 404),
    "GET /studies/{id}/files/original/": row(401, 200, 200, 404, 200, 200, 404),
    "GET /studies/{id}/files/overlay/":  row(401, 200, 200, 404, 200, 200, 404),
    "GET /studies/{id}/predictions/":    row(401, 200, 200, 404, 200, 200, 404),
    "POST /studies/{id}/predictions/":   row(401, 409, 403, 404, 403, 409, 404),
    "GET /predictions/":           row(401, 200, 200, 200, 200, 200, 200),
    "GET /predictions/{prediction}/": row(401, 200, 200, 404, 200, 200, 404),
    "POST /reviews/":              row(401, 403, 201, 404, 403, 403, 404),
    "GET /reviews/":               row(401, 200, 200, 200, 200, 200, 200),
    "GET /models/":                row(401, 200, 200, 200, 200, 200, 200),
    "GET /projects/":              row(401, 200, 200, 200, 200, 200, 200),
    "GET /audit/":                 row(401, 403, 403, 403, 200, 200, 403),
    "POST /auth/logout/":          row(401, 204, 204, 204, 204, 204, 204),
}  # fmt: skip


def ask(who: str, what: str, cast: Cast, study: Study) -> Any:
    method, _, path = what.partition(" ")
    prediction = Prediction.objects.get(study=study)
    url = "/api/v1" + path.replace("{id}", str(study.uid)).replace("{prediction}", str(prediction.uid))
    client = client_of(None if who == "anonymous" else getattr(cast, who))
    if what == "POST /studies/":
        return client.post(url, {"file": film_upload(seed=PEOPLE.index(who) + 1)})
    if what == "POST /reviews/":
        opinion = {"study": str(study.uid), "finding": "normal", "confidence": 80, "agrees_with_ai": False}
        return client.post(url, opinion, format="json")
    return getattr(client, method.lower())(url)


@pytest.mark.parametrize("what", list(TABLE))
def test_who_may_do_what(cast: Cast, finished_study: Study, what: str) -> None:
    people = [*PEOPLE]
    if what.startswith("DELETE"):  # last, because then it is gone
        people.remove("adam")
        people.append("adam")
    given = {who: ask(who, what, cast, finished_study).status_code for who in people}
    assert given == TABLE[what]


def test_lists_show_only_what_is_ones_own(cast: Cast, finished_study: Study) -> None:
    for path in ("studies", "predictions", "reviews"):
        assert client_of(cast.otto).get(f"/api/v1/{path}/").json()["results"] == []
    assert len(client_of(cast.rania).get("/api/v1/studies/").json()["results"]) == 1
    slugs = [project["slug"] for project in client_of(cast.otto).get("/api/v1/projects/").json()["results"]]
    assert slugs == ["elsewhere", "general"]


def test_a_foreign_study_and_one_that_is_not_there_look_alike(cast: Cast, finished_study: Study) -> None:
    client = client_of(cast.otto)
    foreign = client.get(f"/api/v1/studies/{finished_study.uid}/")
    missing = client.get("/api/v1/studies/00000000-0000-4000-8000-000000000000/")
    assert_problem(foreign, 404, "not_found")
    assert foreign.json() == missing.json()


def test_a_refused_deletion_leaves_no_trace(cast: Cast, finished_study: Study) -> None:
    client_of(cast.rania).delete(f"/api/v1/studies/{finished_study.uid}/")
    assert Study.objects.get().deleted_at is None
    assert not AuditEvent.objects.filter(verb="study_deleted").exists()
