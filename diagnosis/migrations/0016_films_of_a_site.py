"""The films of one site are found by an index, however few they are."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("diagnosis", "0015_indexes_of_lists"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='study',
            index=models.Index(condition=models.Q(('site__isnull', False)), fields=['site', '-created_at', '-id'], name='study_site_newest'),
        ),
    ]
