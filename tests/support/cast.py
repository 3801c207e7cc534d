"""The shared cast: the same few people in every test, made by one function."""

from dataclasses import dataclass

from django.contrib.auth.models import Group, User

from accounts import roles
from diagnosis.models import Project, ProjectMembership

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Cast:
    """Alice uploads, Rania reads, Otto both elsewhere, Aude audits, Adam administers, Nobody has none."""

    alice: User
    rania: User
    otto: User
    aude: User
    adam: User
    nobody: User
    project: Project
    other_project: Project


def make_cast() -> Cast:
    """Create the people and their two closed projects in the test database."""
    project = Project.objects.create(slug="ward-7", name="Ward 7")
    other = Project.objects.create(slug="elsewhere", name="Elsewhere")
    return Cast(
        alice=person("alice", project, roles.UPLOADER),
        rania=person("rania", project, roles.READER),
        otto=person("otto", other, roles.READER, roles.UPLOADER),
        aude=person("aude", None, roles.AUDITOR),
        adam=person("adam", None, roles.ADMINISTRATOR),
        nobody=person("nobody", None),
        project=project,
        other_project=other,
    )


def person(name: str, project: Project | None, *role_names: str) -> User:
    """Create one person with these roles, a member of the project where there is one."""
    user = User.objects.create_user(name, password=PASSWORD)
    user.groups.set(Group.objects.filter(name__in=role_names))
    if project is not None:
        ProjectMembership.objects.create(project=project, user=user)
    return user
