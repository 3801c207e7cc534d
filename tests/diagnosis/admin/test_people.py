"""People, roles and projects in the administration: permissions and audit events."""

from collections.abc import Callable

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts import roles
from audit.models import AuditEvent
from diagnosis.models import Project, ProjectMembership, Study
from tests.support.cast import Cast
from tests.support.second_factor import just_signed_in


def address(model: type[Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def sign_in(client: Client) -> Callable[[User], Client]:
    """A signed-in browser."""

    def signed_in(person: User) -> Client:
        return just_signed_in(client, person)

    return signed_in


def test_nobody_sees_a_password_hash(cast: Cast, sign_in: Callable[[User], Client]) -> None:
    for person in (cast.aude, cast.adam):
        page = sign_in(person).get(address(User, "change", cast.alice.pk)).content.decode()
        assert cast.alice.password not in page
        assert cast.alice.password.rpartition("$")[2] not in page


@pytest.mark.parametrize("role", roles.ALL_ROLES)
def test_a_role_is_neither_deleted_nor_renamed(
    sign_in: Callable[[User], Client], db: None, role: str
) -> None:
    client = sign_in(User.objects.create_superuser("root"))
    group = Group.objects.get(name=role)
    assert client.post(address(Group, "delete", group.pk), {"post": "yes"}).status_code == 403
    client.post(address(Group, "change", group.pk), {"name": "renamed", "permissions": []})
    assert Group.objects.filter(name=role).exists()


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


def test_no_event_and_no_log_holds_a_password(cast: Cast, sign_in: Callable[[User], Client]) -> None:
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


def test_a_changed_role_is_recorded_with_its_state_afterwards(
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


def test_an_administrator_cannot_change_a_superusers_account(
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
        "ai_visibility": "shown",
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


def test_accounts_are_changed_only_after_a_recent_password(client: Client, cast: Cast) -> None:
    client.force_login(cast.adam)  # the password was given long ago
    pages = [
        address(User, "add"),
        address(User, "change", cast.adam.pk),
        reverse("admin:auth_user_password_change", args=[cast.adam.pk]),
    ]
    given = {"username": "mallory", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD, **NO_MEMBERSHIPS}
    for page in pages:
        for answer in (client.get(page), client.post(page, given)):
            assert answer.status_code == 302
            assert answer["Location"].startswith(reverse("account_reauthenticate"))
    assert not User.objects.filter(username="mallory").exists()
    assert User.objects.get(pk=cast.adam.pk).password == cast.adam.password
    assert NEW_PASSWORD not in str([session.get_decoded() for session in Session.objects.all()])
