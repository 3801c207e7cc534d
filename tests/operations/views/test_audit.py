"""The auditor's page: filtered, paged by number, verified; and the export of the head."""

from importlib import import_module
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from audit import trail
from audit.models import AuditEvent
from operations.views.audit import PAGE
from tests.support.cast import Cast
from tests.support.running import run

TRAIL = reverse("audit")


@pytest.fixture
def aude(cast: Cast, client: Client) -> Client:
    client.force_login(cast.aude)
    return client


def seqs(client: Client, **query: str) -> list[int]:
    return [event.seq for event in client.get(TRAIL, query).context["events"]]


def write(cast: Cast, number: int) -> None:
    for index in range(number):
        trail.record(actor=cast.alice, verb="film_downloaded", target=cast.project, number=index)


def test_pages_go_back_by_number_without_gap_or_repetition(aude: Client, cast: Cast) -> None:
    write(cast, PAGE + 10)
    newest = AuditEvent.objects.count()
    first = aude.get(TRAIL)
    older = aude.get(f"{TRAIL}?{first.context['older']}")
    shown = [event.seq for page in (first, older) for event in page.context["events"]]
    assert shown == list(range(newest, 0, -1))
    assert older.context["older"] == ""


def test_every_filter_applies(aude: Client, cast: Cast) -> None:
    trail.record(actor=cast.rania, verb="study_viewed", target=cast.project)
    write(cast, 2)
    assert len(seqs(aude, actor="rania")) == 1
    assert len(seqs(aude, verb="film_downloaded")) == 2
    assert len(seqs(aude, object_id=str(cast.project.pk), verb="study_viewed")) == 1
    assert seqs(aude, since="2999-01-01") == []
    assert seqs(aude, until="1999-01-01") == []


@pytest.mark.parametrize("query", ["since=never", "before=0", "before=9999999999999999999999", "before=x"])
def test_a_wrong_filter_shows_nothing(aude: Client, query: str) -> None:
    assert aude.get(f"{TRAIL}?{query}").status_code == 422


def test_verifying_reports_a_whole_trail_and_a_changed_one(aude: Client, cast: Cast) -> None:
    write(cast, 3)
    assert "The trail is whole." in aude.post(reverse("audit-verify")).content.decode()
    triggers = import_module("diagnosis.migrations.0003_append_only_audit").TRIGGERS
    triggers.remove(connection)
    AuditEvent.objects.filter(seq=2).update(verb="nothing")
    page = aude.post(reverse("audit-verify")).content.decode()
    assert "The trail is NOT whole." in page
    assert "Event 2" in page


def test_each_head_is_exported_once(cast: Cast, tmp_path: Path) -> None:
    write(cast, 2)
    for _ in range(2):
        assert run("export_audit_head", "--folder", str(tmp_path)).code == 0
    write(cast, 1)
    run("export_audit_head", "--folder", str(tmp_path))
    lines = (tmp_path / "heads.txt").read_text().splitlines()
    assert [line.split()[1].partition(":")[0] for line in lines] == ["2", "3"]
    assert run("verify_audit", "--noted", lines[0].split()[1]).code == 0


def test_the_head_of_a_broken_trail_is_not_exported(cast: Cast, tmp_path: Path) -> None:
    write(cast, 2)
    triggers = import_module("diagnosis.migrations.0003_append_only_audit").TRIGGERS
    triggers.remove(connection)
    AuditEvent.objects.filter(seq=1).update(verb="nothing")
    assert run("export_audit_head", "--folder", str(tmp_path)).code == 1
    assert not (tmp_path / "heads.txt").exists()
