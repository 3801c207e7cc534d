"""The audit trail through the API."""

from audit import trail
from diagnosis.models import Study
from tests.support.api import assert_problem, client_of
from tests.support.cast import Cast


def test_the_audit_trail_is_newest_first_and_can_be_filtered(cast: Cast, study: Study) -> None:
    trail.record(actor=cast.rania, verb="study_viewed", target=study)
    client = client_of(cast.aude)
    events = client.get("/api/v1/audit/").json()["results"]
    assert [event["verb"] for event in events[:2]] == ["study_viewed", "study_uploaded"]
    assert events[0]["previous_hash"] == events[1]["hash"]
    for query in ("actor=rania", "verb=study_viewed", f"object_id={study.uid}&verb=study_viewed"):
        found = client.get(f"/api/v1/audit/?{query}").json()["results"]
        assert [event["actor_name"] for event in found] == ["rania"]
    assert_problem(client.get("/api/v1/audit/?at_after=never"), 400, "invalid")
