"""Sites in statistics, lists and exports: counted apart, and never mixing two subjects of one code."""

import csv
import io

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from diagnosis.models import ModelVersion, Site, Study
from diagnosis.studies.sites import add_site
from insight.statistics.by_site import sites_of
from insight.statistics.dashboard import SITES, dashboard_of, figure_of
from insight.statistics.period import Period
from insight.statistics.selection import Selection
from insight.statistics.signed_reads import signed_reads
from reading.lists.worklist import WorklistQuery, queue_of
from reading.models import ReadingClaim
from tests.insight.some_hundred import bring_in, have_read
from tests.support.cast import Cast
from tests.support.second_factor import just_signed_in


@pytest.fixture
def two_sites(cast: Cast, active_model: ModelVersion) -> list[Site]:
    """40 films of Ward 7, by turns of two sites; each subject's code is found at both."""
    sites = [
        add_site(actor=cast.adam, project=cast.project, code=code, name=name)
        for code, name in (("BER", "Berlin"), ("HAM", "Hamburg"))
    ]
    films = bring_in(cast.project, cast.alice, active_model, films=40)
    for number, film in enumerate(films):
        film.site = sites[number % 2]
        film.subject_code = f"S-{number // 4}"
    Study.objects.bulk_update(films, ["site", "subject_code"])
    have_read(cast.rania, films)
    return sites


def chosen(cast: Cast, model: ModelVersion) -> Selection:
    from django.utils import timezone

    return Selection(user=cast.rania, period=Period.ending(timezone.localdate(), 26), version=model)


def get(person: User, address: str) -> str:
    client = Client()
    just_signed_in(client, person)
    answer = client.get(address)
    assert answer.status_code == 200
    return b"".join(answer).decode()


def test_one_code_at_two_sites_is_two_subjects(
    cast: Cast, two_sites: list[Site], active_model: ModelVersion
) -> None:
    reads = signed_reads(chosen(cast, active_model)).all
    films = Study.objects.in_bulk([read.film for read in reads])
    apart = {(films[read.film].subject_code, films[read.film].site_id) for read in reads}
    codes = {code for code, _site in apart}
    assert len({read.subject for read in reads}) == len(apart) > len(codes)


def test_a_project_is_counted_by_site(cast: Cast, two_sites: list[Site]) -> None:
    Study.objects.filter(subject_code="S-9", site=two_sites[1]).update(site=None)
    rows = sites_of(cast.rania, cast.project)
    assert [(row.site and row.site.code, row.films, row.subjects) for row in rows] == [
        ("BER", 20, 10),
        ("HAM", 18, 9),
        (None, 2, None),
    ]
    signed = [Study.objects.filter(site=site, reviews__isnull=False).count() for site in two_sites]
    assert [row.signed for row in rows[:2]] == signed
    assert sites_of(cast.adam, cast.other_project) == []


def test_the_dashboard_counts_by_site_where_there_are_any(
    cast: Cast, two_sites: list[Site], active_model: ModelVersion
) -> None:
    selection = chosen(cast, active_model)
    figure = next(one for one in dashboard_of(selection).figures if one.key == SITES)
    assert [row[:4] for row in figure.rows] == [["ward-7", "BER", 10, 20], ["ward-7", "HAM", 10, 20]]
    assert figure.rows == figure_of(selection, SITES).rows
    assert "BER" in get(cast.rania, reverse("dashboard-csv", args=[SITES]))
    Study.objects.update(site=None)
    assert SITES not in [one.key for one in dashboard_of(selection).figures]


def test_lists_narrow_by_site(cast: Cast, two_sites: list[Site]) -> None:
    ReadingClaim.objects.all().delete()
    site = two_sites[0]
    waiting = queue_of(cast.rania, WorklistQuery.parse({"site": str(site.pk)}))
    assert set(waiting.values_list("site__code", flat=True)) == {"BER"}
    page = get(cast.rania, f"{reverse('studies')}?site={site.pk}")
    assert "· BER" in page
    assert "· HAM" not in page
    page = get(cast.rania, f"{reverse('worklist')}?site={site.pk}")
    assert "· BER" in page
    assert "· HAM" not in page


def test_exports_carry_the_site_and_the_codebook_explains_it(cast: Cast, two_sites: list[Site]) -> None:
    rows = csv.DictReader(io.StringIO(get(cast.rania, reverse("export-csv"))))
    assert {row["site"] for row in rows} == {"BER", "HAM"}
    assert "\r\nsite," in get(cast.rania, reverse("export-codebook"))


def test_the_pages_stay_within_their_queries(cast: Cast, two_sites: list[Site]) -> None:
    client = Client()
    client.force_login(cast.adam)
    for address in (reverse("project", args=["ward-7"]), reverse("dashboard"), reverse("studies")):
        client.get(address)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(address)
        asked = [q["sql"] for q in queries if "SAVEPOINT" not in q["sql"] and "UPDATE" not in q["sql"]]
        assert len(asked) <= 15, address


def test_an_administrator_manages_sites_on_the_projects_page(client: Client, cast: Cast) -> None:
    client.force_login(cast.adam)
    address = reverse("project-sites", args=["ward-7"])
    assert client.post(address, {"code": "BER", "name": "Berlin"}).status_code == 302
    site = Site.objects.get()
    again = client.post(address, {"code": "ber", "name": "Bern"})
    assert again.status_code == 409
    assert "The project has a site of this code." in again.content.decode()
    assert client.post(address, {"code": "a b", "name": ""}).status_code == 400
    remove = reverse("site-remove", args=["ward-7", site.pk])
    client.force_login(cast.rania)
    assert (
        client.post(remove).status_code == client.post(address, {"code": "X", "name": "X"}).status_code == 403
    )
    client.force_login(cast.adam)
    assert client.post(reverse("site-remove", args=["elsewhere", site.pk])).status_code == 404
    assert client.post(remove).status_code == 302
    assert not Site.objects.exists()
