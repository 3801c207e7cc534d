"""Triggers that refuse every UPDATE, DELETE and TRUNCATE of the audit trail, on SQLite and PostgreSQL."""

from django.db import migrations

from core.migration_operations import AppendOnly

TRIGGERS = AppendOnly(table="diagnosis_auditevent", name="audit", message="The audit trail is append-only.")


class Migration(migrations.Migration):
    dependencies = [("diagnosis", "0002_baseline")]

    operations = [TRIGGERS]
