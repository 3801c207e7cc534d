"""What every installation begins with: the four roles, a project for everybody, the head of the audit chain."""

from typing import Any

from django.apps import apps as installed_apps
from django.contrib.auth.management import create_permissions
from django.db import migrations

LOOK = ["view"]
MANAGE = ["view", "add", "change"]
EVERYTHING_KEPT = ["study", "prediction", "modelversion", "auditevent", "workerstatus"]

# role: {app label: {model name: actions}}. What a role may do outside the administration stands in roles.py.
RIGHTS: dict[str, dict[str, dict[str, list[str]]]] = {
    "uploader": {},
    "reader": {},
    "auditor": {
        "diagnosis": dict.fromkeys([*EVERYTHING_KEPT, "project", "projectmembership"], LOOK),
        "auth": {"user": LOOK, "group": LOOK},
    },
    "administrator": {
        "diagnosis": {
            **dict.fromkeys(EVERYTHING_KEPT, LOOK),
            "project": [*MANAGE, "delete"],
            "projectmembership": [*MANAGE, "delete"],
        },
        "auth": {"user": MANAGE, "group": LOOK},
    },
}


def make_baseline(apps: Any, schema_editor: Any) -> None:
    """Create what is missing; what an installation has changed stays as it is."""
    apps.get_model("diagnosis", "AuditHead").objects.get_or_create(pk=1)
    apps.get_model("diagnosis", "Project").objects.get_or_create(
        slug="general",
        defaults={
            "name": "General",
            "description": "Films of everybody who can sign in. Close it, or add projects with members of their own.",
            "open_to_all": True,
        },
    )
    for app_label in ("auth", "diagnosis"):
        create_permissions(installed_apps.get_app_config(app_label), verbosity=0)
    for role, rights in RIGHTS.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=role)
        for app_label, models in rights.items():
            codenames = [f"{action}_{model}" for model, actions in models.items() for action in actions]
            wanted = apps.get_model("auth", "Permission").objects.filter(
                content_type__app_label=app_label, codename__in=codenames
            )
            group.permissions.add(*wanted)


class Migration(migrations.Migration):
    dependencies = [
        ("diagnosis", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        # Backwards nothing is taken away: groups may have members, and the project films, by then.
        migrations.RunPython(make_baseline, migrations.RunPython.noop),
    ]
