"""Sites: who manages them, which films may name one; subject codes from file names."""

import io

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from core.errors import Conflict, FilmRefused, NotAllowed
from diagnosis.batches.service import add_film, begin_batch, begin_zip_batch
from diagnosis.batches.unpacking import unpack_batch
from diagnosis.intake.submission import submit_study
from diagnosis.models import Batch, BatchItem, Site, Study
from diagnosis.studies.sites import SiteRefused, add_site, remove_site, site_named
from diagnosis.studies.subject_codes import code_in_name
from tests.support.api import client_of, film_upload
from tests.support.cast import Cast
from tests.support.inputs import zips
from tests.support.inputs.films import chest_png

pytestmark = pytest.mark.usefixtures("active_model")


@pytest.fixture
def berlin(cast: Cast) -> Site:
    return add_site(actor=cast.adam, project=cast.project, code="BER", name="Berlin")


@pytest.fixture
def foreign(cast: Cast) -> Site:
    return add_site(actor=cast.adam, project=cast.other_project, code="FAR", name="Far away")


def test_an_administrator_adds_and_removes_a_site(cast: Cast, berlin: Site) -> None:
    assert str(Site.objects.get()) == "BER Berlin"
    remove_site(actor=cast.adam, site=berlin)
    assert not Site.objects.exists()
    verbs = AuditEvent.objects.filter(verb__startswith="site_").values_list("verb", flat=True)
    assert list(verbs) == ["site_removed", "site_added"]


def test_only_administrators_change_sites(cast: Cast, berlin: Site) -> None:
    for actor in (cast.alice, cast.rania, cast.aude):
        with pytest.raises(NotAllowed):
            add_site(actor=actor, project=cast.project, code="X", name="X")
        with pytest.raises(NotAllowed):
            remove_site(actor=actor, site=berlin)
    assert Site.objects.count() == 1


@pytest.mark.parametrize(("code", "name"), [("", "Bern"), ("B E", "Bern"), ("B" * 21, "Bern"), ("BRN", " ")])
def test_a_site_needs_a_code_and_a_name(cast: Cast, code: str, name: str) -> None:
    with pytest.raises(SiteRefused):
        add_site(actor=cast.adam, project=cast.project, code=code, name=name)
    assert not Site.objects.exists()


def test_a_code_is_unique_in_a_project_whatever_its_case(cast: Cast, berlin: Site) -> None:
    with pytest.raises(Conflict):
        add_site(actor=cast.adam, project=cast.project, code="ber", name="Bern")
    add_site(actor=cast.adam, project=cast.other_project, code="BER", name="Bern")
    assert site_named(project=cast.project, code="ber") == berlin


def test_a_site_with_films_stays(cast: Cast, berlin: Site) -> None:
    submit_study(actor=cast.alice, project=cast.project, data=chest_png(), site=berlin)
    with pytest.raises(Conflict) as caught:
        remove_site(actor=cast.adam, site=berlin)
    assert caught.value.code == "site_has_films"
    assert not AuditEvent.objects.filter(verb="site_removed").exists()


def test_a_film_of_another_projects_site_is_refused(cast: Cast, foreign: Site) -> None:
    with pytest.raises(FilmRefused) as caught:
        submit_study(actor=cast.alice, project=cast.project, data=chest_png(), site=foreign)
    assert caught.value.code == "site_unknown"
    with pytest.raises(FilmRefused):
        begin_batch(actor=cast.alice, project=cast.project, site=foreign)
    archive = io.BytesIO(zips.films_zip(1))
    with pytest.raises(FilmRefused):
        begin_zip_batch(actor=cast.alice, project=cast.project, archive=archive, site=foreign)
    assert not Study.objects.exists()
    assert not Batch.objects.exists()


# --- The pages ----------------------------------------------------------------------------------------


def test_the_upload_form_offers_sites_and_stores_the_chosen_one(
    client: Client, cast: Cast, berlin: Site, foreign: Site
) -> None:
    client.force_login(cast.alice)
    page = client.get(reverse("upload")).content.decode()
    assert "BER Berlin" in page
    assert "Far away" not in page
    sent = {"project": cast.project.pk, "site": berlin.pk, "file": film_upload()}
    assert client.post(reverse("upload"), sent).status_code == 200
    assert Study.objects.get().site == berlin


def test_the_upload_form_refuses_a_site_of_another_project(
    client: Client, cast: Cast, berlin: Site, foreign: Site
) -> None:
    client.force_login(cast.alice)
    sent = {"project": cast.project.pk, "site": foreign.pk, "file": film_upload()}
    assert client.post(reverse("upload"), sent).status_code == 400
    client.force_login(cast.adam)  # who sees both projects
    sent = {"project": cast.project.pk, "site": foreign.pk, "file": film_upload()}
    assert client.post(reverse("upload"), sent).status_code == 400
    assert not Study.objects.exists()


def test_without_sites_the_form_asks_for_none(client: Client, cast: Cast) -> None:
    client.force_login(cast.alice)
    assert 'name="site"' not in client.get(reverse("upload")).content.decode()
    assert 'name="site"' not in client.get(reverse("batches")).content.decode()


def test_a_batch_gives_its_site_to_its_films(client: Client, cast: Cast, berlin: Site) -> None:
    client.force_login(cast.alice)
    archive = io.BytesIO(zips.zip_of(chest_png(), names=["S-017_pa.png"]))
    archive.name = "films.zip"
    sent = {"project": cast.project.pk, "site": berlin.pk, "archive": archive, "codes_from_names": "on"}
    assert client.post(reverse("batch-begin"), sent).status_code == 302
    unpack_batch(batch_uid=str(Batch.objects.get().uid))
    study = Study.objects.get()
    assert (study.site, study.subject_code) == (berlin, "S-017")


# --- The API ------------------------------------------------------------------------------------------


def test_the_api_takes_gives_and_filters_by_the_sites_code(cast: Cast, berlin: Site, foreign: Site) -> None:
    api = client_of(cast.alice)
    answer = api.post("/api/v1/studies/", {"file": film_upload(seed=1), "project": "ward-7", "site": "ber"})
    assert (answer.status_code, answer.json()["site"]) == (201, "BER")
    api.post("/api/v1/studies/", {"file": film_upload(seed=2), "project": "ward-7"})
    listed = api.get("/api/v1/studies/?site=BER").json()["results"]
    assert [film["site"] for film in listed] == ["BER"]
    assert len(api.get("/api/v1/studies/").json()["results"]) == 2
    refused = api.post("/api/v1/studies/", {"file": film_upload(seed=3), "project": "ward-7", "site": "FAR"})
    assert (refused.status_code, refused.json()["code"]) == (400, "site_unknown")
    assert Study.objects.count() == 2
    projects = api.get("/api/v1/projects/").json()["results"]
    sites = {project["slug"]: project["sites"] for project in projects}
    assert sites["ward-7"] == [{"code": "BER", "name": "Berlin"}]


def test_the_api_begins_a_batch_of_a_site(cast: Cast, berlin: Site, foreign: Site) -> None:
    api = client_of(cast.alice)
    begun = api.post("/api/v1/batches/", {"project": "ward-7", "site": "BER"}, format="json").json()
    assert begun["site"] == "BER"
    api.post(begun["links"]["films"], {"file": film_upload()})
    assert Study.objects.get().site == berlin
    far = {"project": "ward-7", "site": "FAR"}
    assert api.post("/api/v1/batches/", far, format="json").status_code == 400
    assert Batch.objects.count() == 1


# --- Subject codes from files' names --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("S-017_pa.png", "S-017"),
        ("ward 7/2026/S-017_pa_2.dcm", "S-017"),
        ("C:\\films\\S-017.png", "S-017"),
        ("017", "017"),
    ],
)
def test_the_code_is_the_name_up_to_the_first_underscore(name: str, code: str) -> None:
    assert code_in_name(name) == code


@pytest.mark.parametrize(
    "name", ["Müller_Hans.png", "Jane Doe_1.png", "_017.png", "film.png", "7" * 41 + ".png"]
)
def test_a_name_that_begins_with_no_code_is_refused_without_repeating_it(name: str) -> None:
    with pytest.raises(FilmRefused) as caught:
        code_in_name(name)
    assert caught.value.code == "subject_code_invalid"
    assert "Doe" not in caught.value.message


def test_a_file_without_a_code_is_refused_and_its_neighbours_are_not(cast: Cast) -> None:
    archive = zips.zip_of(chest_png(seed=1), chest_png(seed=2), names=["S-1_a.png", "Doe_b.png"])
    batch = begin_zip_batch(
        actor=cast.alice, project=cast.project, archive=io.BytesIO(archive), codes_from_names=True
    )
    unpack_batch(batch_uid=str(batch.uid))
    outcomes = batch.items.order_by("position").values_list("outcome", "code")
    assert list(outcomes) == [("accepted", ""), ("refused", "subject_code_invalid")]
    assert "Doe" not in str(list(BatchItem.objects.values())) + str(list(AuditEvent.objects.values()))
    assert Study.objects.get().subject_code == "S-1"


def test_films_sent_one_by_one_bring_their_codes(cast: Cast) -> None:
    batch = begin_batch(actor=cast.alice, project=cast.project, codes_from_names=True)
    add_film(actor=cast.alice, batch=batch, data=chest_png(seed=1), subject_code="S-1")
    none, _ = add_film(actor=cast.alice, batch=batch, data=chest_png(seed=2))
    assert (none.outcome, none.code) == ("refused", "subject_code_invalid")
    assert Study.objects.get().subject_code == "S-1"
