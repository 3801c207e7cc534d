"""Forgets the models that the apps core, audit and accounts have taken over; their tables stay."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("diagnosis", "0016_indexes_of_few_films"),
        ("core", "0001_initial"),
        ("audit", "0001_initial"),
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.DeleteModel(name=name)
                for name in ("AuditEvent", "AuditHead", "IdempotencyKey", "TokenDetails", "UserPreference")
            ]
        )
    ]
