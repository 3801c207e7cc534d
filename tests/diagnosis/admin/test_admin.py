"""The administration: who enters by role, what is fixed, what its lists and actions do."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.messages import get_messages
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.admin_site import BoundedPaginator
from audit import trail
from audit.models import AuditEvent
from diagnosis.models import ModelVersion, Prediction, Project, Study, WorkerStatus
from reading.models import Review
from tests.support.cast import Cast
from tests.support.inputs.film_rows import film_row

READ_ONLY: list[type[Model]] = [Study, Prediction, Review, ModelVersion, AuditEvent, WorkerStatus]
MANAGED: list[type[Model]] = [Project, User, Group]
DISCLAIMER = "Research and education only. Not for clinical use."


def address(model: type[Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def sign_in(client: Client) -> Callable[[User], Client]:
    """A signed-in browser."""

    def signed_in(person: User) -> Client:
        client.force_login(person)
        return client

    return signed_in


@pytest.fixture
def review(finished_study: Study, cast: Cast) -> Review:
    """Rania's opinion on the film."""
    from reading.reviews.service import review_study

    study = Study.objects.get(pk=finished_study.pk)
    return review_study(
        actor=cast.rania, study=study, finding="pneumonia", confidence=80, agrees_with_ai=True
    )


def row_of(model: type[Model]) -> Model:
    if model is WorkerStatus:
        WorkerStatus.objects.create(
            name="worker", last_seen_at="2026-01-01T00:00Z", started_at="2026-01-01T00:00Z"
        )
    return model._default_manager.all()[0]


# --- Who enters ---------------------------------------------------------------------------------------


def test_visitors_are_sent_to_the_one_sign_in_page_and_back(client: Client, db: None) -> None:
    answer = client.get("/admin/diagnosis/study/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("name", ["aude", "adam"])
def test_auditors_and_administrators_enter_without_the_staff_flag(
    cast: Cast, sign_in: Callable[[User], Client], name: str
) -> None:
    answer = sign_in(getattr(cast, name)).get("/admin/")
    assert answer.status_code == 200
    assert DISCLAIMER in answer.content.decode()


@pytest.mark.parametrize("name", ["alice", "rania", "otto", "nobody"])
def test_everybody_else_is_refused_whatever_the_staff_flag_says(
    cast: Cast, sign_in: Callable[[User], Client], name: str
) -> None:
    person = getattr(cast, name)
    User.objects.filter(pk=person.pk).update(is_staff=True)
    assert sign_in(person).get("/admin/", follow=True).status_code == 403


@pytest.mark.parametrize("model", [*READ_ONLY, *MANAGED])
def test_an_auditor_looks_at_everything_and_is_offered_no_change(
    review: Review, cast: Cast, sign_in: Callable[[User], Client], model: type[Model]
) -> None:
    client = sign_in(cast.aude)
    row = row_of(model)
    assert client.get(address(model, "changelist")).status_code == 200
    page = client.get(address(model, "change", row.pk))
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    assert client.get(address(model, "add")).status_code == 403
    assert client.post(address(model, "change", row.pk), {"name": "x"}).status_code == 403
    assert client.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403


def test_an_auditor_is_offered_no_action(study: Study, cast: Cast, sign_in: Callable[[User], Client]) -> None:
    page = sign_in(cast.aude).get(address(Study, "changelist")).content.decode()
    assert "to_the_trash" not in page
    assert "delete_selected" not in page


# --- What is fixed ------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", READ_ONLY)
def test_results_reviews_models_and_trail_are_fixed_even_for_a_superuser(
    review: Review, sign_in: Callable[[User], Client], model: type[Model]
) -> None:
    client = sign_in(User.objects.create_superuser("root"))
    row = row_of(model)
    before = model._default_manager.filter(pk=row.pk).values().get()
    assert client.get(address(model, "change", row.pk)).status_code == 200
    assert client.get(address(model, "add")).status_code == 403
    assert client.post(address(model, "change", row.pk), {"status": "failed"}).status_code == 403
    assert client.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    client.post(
        address(model, "changelist"), {"action": "delete_selected", "_selected_action": [row.pk], "post": 1}
    )
    assert model._default_manager.filter(pk=row.pk).values().get() == before


# --- Lists --------------------------------------------------------------------------------------------


def films(cast: Cast, model: ModelVersion, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        study = film_row(number, project=cast.project, uploaded_by=cast.alice, subject_code=f"S-{number}")
        study.save(force_insert=True)
        prediction = Prediction.objects.create(study=study, model_version=model, requested_by=cast.alice)
        Review.objects.create(
            study=study, prediction=prediction, reader=cast.rania, finding="normal", confidence=1
        )
        trail.record(actor=cast.alice, verb="study_uploaded", target=study)


@pytest.mark.parametrize("model", [Study, Prediction, Review, AuditEvent, ModelVersion, Project, User, Group])
def test_a_list_asks_the_same_few_questions_however_long_it_is(
    cast: Cast, active_model: ModelVersion, sign_in: Callable[[User], Client], model: type[Model]
) -> None:
    client = sign_in(cast.adam)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address(model, "changelist")).status_code == 200
        return len(asked)

    films(cast, active_model, 2)
    queries()  # the first visit fills caches
    few = queries()
    films(cast, active_model, 12, first=2)
    assert queries() <= few
    assert few <= 16


@pytest.mark.parametrize("model", [Study, Prediction, Review, AuditEvent])
def test_a_list_neither_counts_nor_looks_through_all_rows(
    cast: Cast, active_model: ModelVersion, sign_in: Callable[[User], Client], model: type[Model]
) -> None:
    films(cast, active_model, 2)
    client, table = sign_in(cast.adam), f'"{model._meta.db_table}"'
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address(model, "changelist")).status_code == 200
    about_all = re.compile(r"\b(COUNT|MIN|MAX|DISTINCT)\b")
    assert [sql for query in asked if table in (sql := query["sql"]) and about_all.search(sql)] == []


def test_a_list_shows_its_first_thousands_and_filters_lead_to_the_others(
    cast: Cast,
    active_model: ModelVersion,
    sign_in: Callable[[User], Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(BoundedPaginator, "MOST", 3)
    films(cast, active_model, 5)
    Prediction.objects.filter(study=Study.objects.earliest("pk")).update(
        status="failed", failure_code="gave_up"
    )
    client, events = sign_in(cast.adam), address(AuditEvent, "changelist")
    cut, whole = (client.get(address(model, "changelist")) for model in (Study, ModelVersion))
    assert cut.context["cl"].result_count == 3
    assert "Only the first 3 are listed." in cut.content.decode()
    assert "Only the first" not in whole.content.decode()
    failed = client.get(address(Prediction, "changelist"), {"failure": "gave_up"})
    assert [found.study_id for found in failed.context["cl"].result_list] == [Study.objects.earliest("pk").pk]
    assert client.get(events, {"verb": "study_uploaded"}).context["cl"].result_count == 3
    verbs = {event.verb for event in AuditEvent.objects.all()}
    assert verbs <= {*re.findall(r"\?verb=(\w+)", client.get(events).content.decode())}


@pytest.mark.parametrize(
    "search",
    ["{reference}", "{pk}", "{uid}", "S-017", "alice"],
    ids=["reference", "number", "uid", "code", "uploader"],
)
def test_a_study_is_found_by(
    study: Study, cast: Cast, sign_in: Callable[[User], Client], search: str
) -> None:
    Study.objects.filter(pk=study.pk).update(subject_code="S-017")
    term = search.format(reference=study.reference, pk=study.pk, uid=study.uid)
    client = sign_in(cast.adam)
    assert study.reference in client.get(address(Study, "changelist"), {"q": term}).content.decode()
    assert (
        study.reference not in client.get(address(Study, "changelist"), {"q": "PW-999999"}).content.decode()
    )


def test_a_study_in_the_trash_is_gone_from_the_administration_too(
    study: Study, cast: Cast, sign_in: Callable[[User], Client]
) -> None:
    from diagnosis.studies.trash import move_to_trash

    move_to_trash(actor=cast.adam, study=study)
    client = sign_in(cast.adam)
    for model in (Study, Prediction):
        assert study.reference not in client.get(address(model, "changelist")).content.decode()


def test_a_study_shows_its_thumbnail_from_the_address_that_checks_permissions(
    study: Study, cast: Cast, sign_in: Callable[[User], Client]
) -> None:
    page = sign_in(cast.adam).get(address(Study, "changelist")).content.decode()
    assert reverse("study-thumbnail", kwargs={"uid": study.uid}) in page
    assert " style=" not in page


# --- Actions ------------------------------------------------------------------------------------------


def act(client: Client, action: str, *rows: Model) -> list[str]:
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    answer = client.post(address(type(rows[0]), "changelist"), data)
    assert answer.status_code == 302
    return [str(message) for message in get_messages(answer.wsgi_request)]


def test_an_administrator_moves_films_to_the_trash(
    study: Study, cast: Cast, sign_in: Callable[[User], Client]
) -> None:
    messages = act(sign_in(cast.adam), "to_the_trash", study)
    study.refresh_from_db()
    assert study.deleted_at is not None
    assert messages == [f"Moved to the trash: {study.reference}."]
    assert AuditEvent.objects.filter(
        verb="study_deleted", actor_name="adam", object_id=str(study.uid)
    ).exists()


def test_an_auditor_who_forges_the_action_changes_nothing(
    study: Study, cast: Cast, sign_in: Callable[[User], Client]
) -> None:
    client = sign_in(cast.aude)
    client.post(address(Study, "changelist"), {"action": "to_the_trash", "_selected_action": [study.pk]})
    study.refresh_from_db()
    assert study.deleted_at is None


def test_a_failed_analysis_is_queued_again(
    study: Study, cast: Cast, sign_in: Callable[[User], Client]
) -> None:
    study.predictions.update(status="failed", failure_code="gave_up")
    act(sign_in(cast.adam), "read_again", study.predictions.get())
    assert sorted(study.predictions.values_list("status", flat=True)) == ["failed", "queued"]


def test_an_analysis_that_has_not_failed_is_not_queued_again(
    study: Study, cast: Cast, sign_in: Callable[[User], Client]
) -> None:
    messages = act(sign_in(cast.adam), "read_again", study.predictions.get())
    assert "has not failed" in messages[0]
    assert study.predictions.count() == 1


def test_a_model_whose_files_are_missing_is_not_activated_and_says_so(
    active_model: ModelVersion, cast: Cast, sign_in: Callable[[User], Client]
) -> None:
    active_model.state = ModelVersion.State.REGISTERED
    active_model.save()
    messages = act(sign_in(cast.adam), "activate", active_model)
    active_model.refresh_from_db()
    assert active_model.state == ModelVersion.State.REGISTERED
    assert messages[0].startswith("test-model: ")


def test_the_active_model_is_not_retired(
    active_model: ModelVersion, cast: Cast, sign_in: Callable[[User], Client]
) -> None:
    messages = act(sign_in(cast.adam), "retire", active_model)
    active_model.refresh_from_db()
    assert active_model.state == ModelVersion.State.ACTIVE
    assert "Activate another version first" in messages[0]


def test_a_registered_model_is_retired(
    active_model: ModelVersion, cast: Cast, sign_in: Callable[[User], Client]
) -> None:
    ModelVersion.objects.update(state=ModelVersion.State.REGISTERED)
    act(sign_in(cast.adam), "retire", active_model)
    active_model.refresh_from_db()
    assert active_model.state == ModelVersion.State.RETIRED
