"""Triggers that refuse to change or delete a signed review, on SQLite and PostgreSQL.

`is_current` alone may change, since an addendum supersedes. On SQLite a later migration that alters the table
makes it anew and loses the triggers: such a migration ends with TRIGGERS.
"""

from django.db import migrations

from core.migration_operations import AppendOnly

COLUMNS = (
    "id, uid, study_id, prediction_id, reader_id, agrees_with_ai, finding, confidence, comment, region_x, region_y, "
    "region_width, region_height, open_seconds, active_seconds, supersedes_id, addendum_to_id, created_at, signed_at"
)
TRIGGERS = AppendOnly(
    table="reading_review",
    name="signed_review",
    message="A signed review is final.",
    columns=COLUMNS.split(", "),
    when="OLD.signed_at IS NOT NULL",
)


class Migration(migrations.Migration):
    dependencies = [("reading", "0003_signed_reads")]

    operations = [TRIGGERS]
