"""Takes over preferences and details of API tokens from the app diagnosis; the tables stay as they are."""

import accounts.models.preferences
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from core.migration_operations import moved_models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
        ("diagnosis", "0016_indexes_of_few_films"),
        ("knox", "0009_extend_authtoken_field"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = moved_models(
        migrations.CreateModel(
            name='TokenDetails',
            fields=[
                ('token', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='details', serialize=False, to='knox.authtoken')),
                ('name', models.CharField(blank=True, max_length=60)),
                ('scopes', models.JSONField(blank=True, default=list, help_text='Empty: everything that the person may.')),
                ('last_used_on', models.DateField(null=True)),
            ],
            options={
                'verbose_name_plural': 'token details',
                'db_table': 'diagnosis_tokendetails',
            },
        ),
        migrations.CreateModel(
            name='UserPreference',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='preference', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('theme', models.CharField(choices=[('system', 'As the system says'), ('light', 'Light'), ('dark', 'Dark')], default='system', max_length=10, verbose_name='theme')),
                ('language', models.CharField(blank=True, choices=accounts.models.preferences.language_choices, max_length=10, verbose_name='language')),
                ('colour_map', models.CharField(blank=True, choices=accounts.models.preferences.colour_map_choices, max_length=20, verbose_name='colours of the map')),
                ('alpha', models.FloatField(blank=True, null=True, verbose_name='opacity of the map')),
            ],
            options={
                'db_table': 'diagnosis_userpreference',
            },
        ),
        old="diagnosis",
        new="accounts",
    )
