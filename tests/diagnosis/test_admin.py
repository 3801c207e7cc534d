"""The administration: who enters by role, what is fixed, what its actions do, and that changes are audited."""

from collections.abc import Callable

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.messages import get_messages
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from diagnosis import audit, roles
from diagnosis.models import (
    AuditEvent,
    ModelVersion,
    Prediction,
    Project,
    ProjectMembership,
    Study,
    WorkerStatus,
)
from reading.models import Review
from tests.cast import Cast

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
    from reading.review import review_study

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


def test_nobody_sees_a_password_hash(cast: Cast, sign_in: Callable[[User], Client]) -> None:
    for person in (cast.aude, cast.adam):
        page = sign_in(person).get(address(User, "change", cast.alice.pk)).content.decode()
        assert cast.alice.password not in page
        assert cast.alice.password.rpartition("$")[2] not in page


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


@pytest.mark.parametrize("role", roles.ALL_ROLES)
def test_a_role_is_neither_deleted_nor_renamed(
    sign_in: Callable[[User], Client], db: None, role: str
) -> None:
    client = sign_in(User.objects.create_superuser("root"))
    group = Group.objects.get(name=role)
    assert client.post(address(Group, "delete", group.pk), {"post": "yes"}).status_code == 403
    client.post(address(Group, "change", group.pk), {"name": "renamed", "permissions": []})
    assert Group.objects.filter(name=role).exists()


# --- Lists --------------------------------------------------------------------------------------------


def films(cast: Cast, model: ModelVersion, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        study = Study.objects.create(
            project=cast.project,
            uploaded_by=cast.alice,
            source="file",
            media_format="PNG",
            sha256=f"{number:064d}",
            byte_size=1,
            width=1,
            height=1,
            bit_depth=8,
            subject_code=f"S-{number}",
        )
        prediction = Prediction.objects.create(study=study, model_version=model, requested_by=cast.alice)
        Review.objects.create(
            study=study, prediction=prediction, reader=cast.rania, finding="normal", confidence=1
        )
        audit.record(actor=cast.alice, verb="study_uploaded", target=study)


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
    from diagnosis.retention import move_to_trash

    move_to_trash(actor=cast.adam, study=study)
    client = sign_in(cast.adam)
    for model in (Study, Prediction):
        assert study.reference not in client.get(address(model, "changelist")).content.decode()


def test_a_study_shows_its_thumbnail_by_the_address_that_checks_who_asks(
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


def test_a_failed_reading_is_queued_again(
    study: Study, cast: Cast, sign_in: Callable[[User], Client]
) -> None:
    study.predictions.update(status="failed", failure_code="gave_up")
    act(sign_in(cast.adam), "read_again", study.predictions.get())
    assert sorted(study.predictions.values_list("status", flat=True)) == ["failed", "queued"]


def test_a_reading_that_has_not_failed_is_not_queued_again_and_says_so(
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


# --- People and projects --------------------------------------------------------------------------------

NEW_PASSWORD = "violet-harbour-41"
NO_MEMBERSHIPS = {
    "memberships-TOTAL_FORMS": "0",
    "memberships-INITIAL_FORMS": "0",
}


def membership_of(project: Project) -> dict[str, str]:
    return {
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "0",
        "memberships-0-project": str(project.pk),
    }


def create_person(client: Client, cast: Cast, **fields: object) -> User:
    data = {
        "username": "nina",
        "password1": NEW_PASSWORD,
        "password2": NEW_PASSWORD,
        "groups": [Group.objects.get(name=roles.READER).pk],
        **membership_of(cast.project),
        **fields,
    }
    answer = client.post(address(User, "add"), data)
    assert answer.status_code == 302, answer.context["errors"]
    return User.objects.get(username="nina")


def test_an_administrator_creates_a_person_with_role_and_project_on_one_page(
    cast: Cast, sign_in: Callable[[User], Client]
) -> None:
    nina = create_person(sign_in(cast.adam), cast)
    assert nina.check_password(NEW_PASSWORD)
    assert roles.roles_of(nina) == {roles.READER}
    assert ProjectMembership.objects.filter(user=nina, project=cast.project).exists()
    event = AuditEvent.objects.get(verb="user_created")
    assert (event.actor_name, event.object_id) == ("adam", str(nina.pk))
    assert event.details["roles"] == [roles.READER]
    assert event.details["projects"] == [cast.project.slug]


def test_no_event_and_no_log_tells_a_password(cast: Cast, sign_in: Callable[[User], Client]) -> None:
    client = sign_in(cast.adam)
    nina = create_person(client, cast)
    other = "another-harbour-42"
    data = {"password1": other, "password2": other, "usable_password": "true"}
    assert client.post(reverse("admin:auth_user_password_change", args=[nina.pk]), data).status_code == 302
    nina.refresh_from_db()
    assert nina.check_password(other)
    assert AuditEvent.objects.get(verb="user_changed").details["changed"] == ["password"]
    told = str(list(AuditEvent.objects.values_list("details", flat=True)))
    told += str(list(LogEntry.objects.values_list("change_message", flat=True)))
    assert all(secret not in told for secret in (NEW_PASSWORD, other, nina.password))


def change_person(client: Client, person: User, **fields: object) -> None:
    data = {
        "username": person.username,
        "groups": list(person.groups.values_list("pk", flat=True)),
        "is_active": "on",
        **NO_MEMBERSHIPS,
        **fields,
    }
    client.post(address(User, "change", person.pk), data)
    person.refresh_from_db()


def test_a_changed_role_is_recorded_as_it_stands_afterwards(
    cast: Cast, sign_in: Callable[[User], Client]
) -> None:
    auditor = Group.objects.get(name=roles.AUDITOR)
    change_person(sign_in(cast.adam), cast.nobody, groups=[auditor.pk])
    event = AuditEvent.objects.get(verb="user_changed")
    assert event.details["roles"] == [roles.AUDITOR]
    assert event.details["changed"] == ["Roles"]


def test_a_closed_account_cannot_be_used_any_longer(cast: Cast, sign_in: Callable[[User], Client]) -> None:
    alices = Client()
    alices.force_login(cast.alice)
    client = sign_in(cast.adam)
    data = {"username": "alice", "groups": [], **NO_MEMBERSHIPS}
    client.post(address(User, "change", cast.alice.pk), data)
    cast.alice.refresh_from_db()
    assert not cast.alice.is_active
    assert alices.get(reverse("studies")).status_code == 302


def test_an_administrator_makes_no_superuser(cast: Cast, sign_in: Callable[[User], Client]) -> None:
    change_person(sign_in(cast.adam), cast.nobody, is_superuser="on")
    assert not cast.nobody.is_superuser


def test_an_administrator_does_not_get_at_a_superusers_account(
    cast: Cast, sign_in: Callable[[User], Client]
) -> None:
    root = User.objects.create_superuser("root", password=NEW_PASSWORD)
    client = sign_in(cast.adam)
    data = {"password1": "own-password-77", "password2": "own-password-77", "usable_password": "true"}
    assert client.post(reverse("admin:auth_user_password_change", args=[root.pk]), data).status_code == 403
    assert client.post(address(User, "change", root.pk), {"username": "root"}).status_code == 403
    root.refresh_from_db()
    assert root.check_password(NEW_PASSWORD)


def test_an_administrator_cannot_lock_themselves_out(cast: Cast, sign_in: Callable[[User], Client]) -> None:
    client = sign_in(cast.adam)
    client.post(address(User, "change", cast.adam.pk), {"username": "adam", "groups": [], **NO_MEMBERSHIPS})
    cast.adam.refresh_from_db()
    assert cast.adam.is_active
    assert client.get("/admin/").status_code == 200


def test_people_are_not_deleted(cast: Cast, sign_in: Callable[[User], Client]) -> None:
    client = sign_in(User.objects.create_superuser("root"))
    assert client.post(address(User, "delete", cast.nobody.pk), {"post": "yes"}).status_code == 403
    data = {"action": "delete_selected", "_selected_action": [cast.nobody.pk], "post": "yes"}
    client.post(address(User, "changelist"), data)
    assert User.objects.filter(pk=cast.nobody.pk).exists()


def test_a_new_member_of_a_project_is_recorded(cast: Cast, sign_in: Callable[[User], Client]) -> None:
    data = {
        "name": cast.project.name,
        "slug": cast.project.slug,
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "0",
        "memberships-0-user": str(cast.nobody.pk),
    }
    sign_in(cast.adam).post(address(Project, "change", cast.project.pk), data)
    event = AuditEvent.objects.get(verb="project_changed")
    assert cast.nobody.pk in event.details["members"]
    assert event.object_id == str(cast.project.pk)


def test_a_deleted_project_is_recorded_and_one_with_films_stays(
    study: Study, cast: Cast, sign_in: Callable[[User], Client]
) -> None:
    client = sign_in(cast.adam)
    client.post(address(Project, "delete", cast.other_project.pk), {"post": "yes"})
    client.post(address(Project, "delete", cast.project.pk), {"post": "yes"})
    assert not Project.objects.filter(pk=cast.other_project.pk).exists()
    assert Project.objects.filter(pk=cast.project.pk).exists()
    assert list(AuditEvent.objects.filter(verb="project_deleted").values_list("object_id", flat=True)) == [
        str(cast.other_project.pk)
    ]
