"""Fills the stored installation with people, projects and accounts; with the code of 0.1.0."""

from typing import Any
from unittest import mock

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from diagnosis import health, sites
from diagnosis.accounts import ensure_administrator
from diagnosis.api_tokens import make_token, revoke_token
from diagnosis.models import Project, ProjectMembership
from diagnosis.preferences import save_preferences
from reading.marks import make_tag
from reading.rules import set_rules
from tests.second_factor import just_signed_in, set_up_app, sign_in
from tests.upgrade.past import PASSWORD, PEOPLE

Secrets = dict[str, Any]


def person(name: str) -> User:
    """Return the account of this name."""
    return User.objects.get(username=name)


def project(slug: str) -> Project:
    """Return the project of this slug."""
    return Project.objects.get(slug=slug)


def make_people(clock: Any) -> Secrets:
    """Make accounts, projects, rights, tokens and second factors; return the secrets, told only once."""
    ensure_administrator(actor=None, username="admin", password=PASSWORD)
    for name, roles in PEOPLE.items():
        clock.shift(61)
        user = User.objects.create_user(name, f"{name}@example.org" if roles else "", PASSWORD)
        user.groups.set(Group.objects.filter(name__in=roles))
    User.objects.filter(username="locum").update(is_active=False, first_name="Lou", last_name="Cum")
    make_projects(clock)
    give_permissions()
    clock.shift(3600)
    save_preferences(actor=person("nurse"), theme="dark", language="de", colour_map="VIRIDIS", alpha=0.55)
    save_preferences(actor=person("head"), theme="light")
    EmailAddress.objects.create(user=person("head"), email="head@example.org", verified=True, primary=True)
    with mock.patch("socket.gethostname", return_value="reading-room"), mock.patch("os.getppid") as parent:
        parent.return_value = 4711
        health.worker_seen(loaded_version="vgg16-2026.11.2")
    clock.shift(600)
    return {"tokens": make_tokens(), **sign_people_in(clock)}


def make_projects(clock: Any) -> None:
    """Make four projects beside the one that is open to all: with sites, hidden results, no films."""
    admin = just_signed_in(Client(), person("admin"))
    add_project_by_page(admin)
    Project.objects.create(slug="night", name="Night shift", ai_visibility=Project.AiVisibility.HIDDEN)
    Project.objects.create(slug="archive", name="Archive", description="Nothing yet: “Ünïcode”, 100 %.")
    Project.objects.create(slug="trial", name="Trial")
    for slug in ("ward-7", "night", "trial"):
        for name in ("nurse", "paediatrician", "radiologist", "head"):
            clock.shift(5)
            ProjectMembership.objects.create(project=project(slug), user=person(name))
    ProjectMembership.objects.create(project=project("night"), user=person("consultant"))
    head = person("head")
    for code, place in (("BER", "Berlin"), ("HAM", "Hamburg"), ("XXX", "Nowhere")):
        site = sites.add_site(actor=head, project=project("ward-7"), code=code, name=place)
    sites.remove_site(actor=head, site=site)
    for code, place in (("01", "One"), ("02", "Two")):
        sites.add_site(actor=head, project=project("trial"), code=code, name=place)
    for slug, reads, blind, deciders in (("ward-7", 2, False, [head]), ("night", 2, True, [])):
        set_rules(
            actor=head,
            project=project(slug),
            reads_per_film=reads,
            reads_blind=blind,
            adjudicators=deciders,
        )
    for name, colour, early in (
        ("Teaching", "blue", False),
        ("Rotated", "amber", True),
        ("Tube", "red", True),
    ):
        make_tag(actor=head, project=project("ward-7"), name=name, colour=colour, before_reading=early)
    make_tag(actor=head, project=project("night"), name="Second look", colour="green")


def add_project_by_page(admin: Client) -> None:
    """Add a project in the administration, whose log tells of it."""
    forms = {f"{name}-{field}": "0" for name in ("sites", "memberships") for field in _MANAGEMENT}
    sent = {"name": "Ward 7", "slug": "ward-7", "description": "Children aged one to five.", **forms}
    answer = admin.post("/admin/diagnosis/project/add/", {**sent, "ai_visibility": "shown"})
    assert answer.status_code == 302, answer.content


_MANAGEMENT = ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")


def give_permissions() -> None:
    """Give a group and a person permissions of every model there is, and let the log speak of each."""
    helpers = Group.objects.create(name="study helpers")
    helpers.permissions.set(Permission.objects.exclude(codename__startswith="delete_"))
    person("clerk").groups.add(helpers)
    person("locum").groups.add(Group.objects.create(name="nobody's"))
    permissions = Permission.objects.exclude(codename__startswith="add_")
    person("consultant").user_permissions.set(permissions)
    person("nurse").user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    for number, model in enumerate(apps.get_models()):
        LogEntry.objects.create(
            user=person("admin" if number % 2 else "head"),
            content_type=ContentType.objects.get_for_model(model),
            object_id=str(number + 1),
            object_repr=f"{model._meta.verbose_name} {number + 1}",
            action_flag=CHANGE if number % 3 else ADDITION,
            change_message='[{"changed": {"fields": ["name"]}}]' if number % 3 else '[{"added": {}}]',
        )


def make_tokens() -> dict[str, str]:
    """Make tokens with and without scopes, one of them over and one revoked; return the secrets by name."""
    year = 24 * 365
    gone = make_token(actor=person("nurse"), name="revoked", hours=1)
    revoke_token(actor=person("nurse"), prefix=gone.secret[:15])
    made = {
        "nurse": make_token(actor=person("nurse"), name="modality", hours=year),
        "radiologist": make_token(actor=person("radiologist"), name="notebook", scopes=["read"], hours=year),
        "auditor": make_token(actor=person("auditor"), name="archive", scopes=["audit", "read"], hours=year),
        "over": make_token(actor=person("paediatrician"), hours=1),
    }
    return {name: token.secret for name, token in made.items()}


def sign_people_in(clock: Any) -> Secrets:
    """Sign people in and out by the page, set up second factors, and mistype a password."""
    secret, codes = set_up_app(sign_in("auditor", PASSWORD))
    Authenticator.objects.create(
        user=person("radiologist"),
        type=Authenticator.Type.WEBAUTHN,
        data={"name": "Blue key", "credential": {"id": "AQIDBA", "type": "public-key"}},
    )
    for name in ("head", "paediatrician"):
        clock.shift(30)
        sign_in(name, PASSWORD)
    clock.shift(30)
    sign_in("nurse", "wrong password")
    clerk = sign_in("clerk", PASSWORD)
    clerk.post(reverse("logout"))
    assert User.objects.filter(last_login=timezone.now()).exists()
    return {"app_secret": secret, "recovery_codes": codes}
