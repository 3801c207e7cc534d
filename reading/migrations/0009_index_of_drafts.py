"""A reader's drafts are found by an index."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('diagnosis', '0016_indexes_of_few_films'),
        ('reading', '0008_reads_kept'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='review',
            index=models.Index(condition=models.Q(('signed_at__isnull', True)), fields=['reader'], name='review_draft'),
        ),
    ]
