"""Auditors and administrators may look at reviews in the administration."""

from typing import Any

from django.apps import apps as installed_apps
from django.contrib.auth.management import create_permissions
from django.db import migrations


def let_them_look(apps: Any, schema_editor: Any) -> None:
    """Add the one permission to both roles."""
    create_permissions(installed_apps.get_app_config("reading"), verbosity=0)
    looking = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="reading", codename="view_review"
    )
    for group in apps.get_model("auth", "Group").objects.filter(name__in=["auditor", "administrator"]):
        group.permissions.add(*looking)


class Migration(migrations.Migration):
    dependencies = [("reading", "0001_initial"), ("diagnosis", "0002_baseline")]

    operations = [migrations.RunPython(let_them_look, migrations.RunPython.noop)]
