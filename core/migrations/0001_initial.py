"""Takes over the keys of repeated requests from the app diagnosis; the tables stay as they are."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from core.migration_operations import moved_models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
        ("diagnosis", "0016_indexes_of_few_films"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = moved_models(
        migrations.CreateModel(
            name='IdempotencyKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=200)),
                ('fingerprint', models.CharField(max_length=64)),
                ('status', models.PositiveSmallIntegerField(help_text='Empty while the request is at work.', null=True)),
                ('answer', models.JSONField(null=True)),
                ('created_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'diagnosis_idempotencykey',
                'constraints': [models.UniqueConstraint(fields=('user', 'key'), name='one_request_per_key')],
            },
        ),
        old="diagnosis",
        new="core",
    )
