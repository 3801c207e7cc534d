"""A project's rules of reading, and adjudications with triggers that refuse to change or delete one."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from core.migration_operations import AppendOnly

TRIGGERS = AppendOnly(
    table="reading_adjudication", name="adjudication", message="An adjudication is final.", each_row=True
)


class Migration(migrations.Migration):
    dependencies = [
        ("diagnosis", "0008_scope_and_map_flags"),
        ("reading", "0005_discordance_reasons"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ReadingSettings",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "reads_per_film",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (0, "Every reader reads every film"),
                            (1, "One read a film"),
                            (2, "Two reads a film, by different readers"),
                            (3, "Three reads a film, by different readers"),
                        ],
                        default=0,
                        help_text="The worklist offers a film until that many readers have signed a read of it.",
                        verbose_name="Reads",
                    ),
                ),
                (
                    "reads_blind",
                    models.BooleanField(
                        default=False,
                        help_text="Where the AI result is hidden from readers, this holds in any case.",
                        verbose_name="Readers do not see each other's opinions before they have signed their own read",
                    ),
                ),
                (
                    "adjudicators",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Readers who decide where signed reads differ. Without any, its readers record a consensus.",
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="Adjudicators",
                    ),
                ),
                (
                    "project",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reading_settings",
                        to="diagnosis.project",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "reading settings",
            },
        ),
        migrations.CreateModel(
            name="Adjudication",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "basis",
                    models.CharField(
                        choices=[
                            ("third_reader", "Decided by a reader who had not read the film"),
                            ("consensus", "Consensus, recorded by a reader of the film"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "finding",
                    models.CharField(
                        choices=[
                            ("normal", "Normal"),
                            ("pneumonia", "Pneumonia"),
                            ("other", "Other finding"),
                            ("not_readable", "Not readable"),
                        ],
                        max_length=12,
                    ),
                ),
                ("rationale", models.TextField(max_length=2000)),
                ("decided_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "adjudicator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "study",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="adjudications",
                        to="diagnosis.study",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "indexes": [models.Index(fields=["study", "-id"], name="adjudication_study")],
            },
        ),
        TRIGGERS,
    ]
