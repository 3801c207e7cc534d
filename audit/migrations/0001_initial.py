"""Takes over the audit trail from the app diagnosis; the tables stay as they are."""

from django.db import migrations, models

from typing import Any

from django.apps import apps as installed_apps
from django.contrib.auth.management import create_permissions

from core.migration_operations import moved_models


def grant_rights(apps: Any, schema_editor: Any) -> None:
    """Let auditors and administrators look at the trail in a new installation; rights of an older one stay."""
    content_types = apps.get_model("contenttypes", "ContentType").objects
    if content_types.filter(app_label="diagnosis", model="auditevent").exists():
        return
    create_permissions(installed_apps.get_app_config("audit"), verbosity=0)
    right = apps.get_model("auth", "Permission").objects.get(
        content_type__app_label="audit", codename="view_auditevent"
    )
    for group in apps.get_model("auth", "Group").objects.filter(name__in=["auditor", "administrator"]):
        group.permissions.add(right)


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("diagnosis", "0016_indexes_of_few_films"),
    ]

    operations = [
        migrations.RunPython(grant_rights, migrations.RunPython.noop),
        *moved_models(
            migrations.CreateModel(
                name="AuditHead",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("last_seq", models.PositiveBigIntegerField(default=0)),
                    (
                        "last_hash",
                        models.CharField(
                            default="0000000000000000000000000000000000000000000000000000000000000000",
                            max_length=64,
                        ),
                    ),
                ],
                options={
                    "db_table": "diagnosis_audithead",
                },
            ),
            migrations.CreateModel(
                name="AuditEvent",
                fields=[
                    ("seq", models.PositiveBigIntegerField(primary_key=True, serialize=False)),
                    ("at", models.DateTimeField()),
                    (
                        "actor_id",
                        models.BigIntegerField(
                            help_text="No foreign key: the trail outlives the account.", null=True
                        ),
                    ),
                    ("actor_name", models.CharField(max_length=150)),
                    ("verb", models.CharField(max_length=40)),
                    ("object_type", models.CharField(blank=True, max_length=40)),
                    ("object_id", models.CharField(blank=True, max_length=64)),
                    ("details", models.JSONField(default=dict)),
                    ("previous_hash", models.CharField(max_length=64)),
                    ("hash", models.CharField(max_length=64)),
                ],
                options={
                    "db_table": "diagnosis_auditevent",
                    "ordering": ["-seq"],
                    "indexes": [
                        models.Index(fields=["object_type", "object_id"], name="audit_object"),
                        models.Index(fields=["verb", "-seq"], name="audit_verb"),
                        models.Index(fields=["-at"], name="audit_at"),
                        models.Index(fields=["actor_name", "-seq"], name="audit_actor"),
                    ],
                },
            ),
            old="diagnosis",
            new="audit",
        ),
    ]
