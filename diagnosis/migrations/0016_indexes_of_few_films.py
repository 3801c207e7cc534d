"""Films that are few among many are found by an index: of a site, of a state, with differing reads, by score."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('diagnosis', '0015_indexes_of_lists'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='study',
            index=models.Index(condition=models.Q(('site__isnull', False)), fields=['site', '-created_at', '-id'], name='study_site_newest'),
        ),
        migrations.AddIndex(
            model_name='study',
            index=models.Index(fields=['project', 'result_status', '-created_at', '-id'], name='study_project_status'),
        ),
        migrations.AddIndex(
            model_name='study',
            index=models.Index(condition=models.Q(('reads_differ', True)), fields=['-id'], name='study_differs_newest'),
        ),
        migrations.AddIndex(
            model_name='study',
            index=models.Index(condition=models.Q(('deleted_at__isnull', True), ('wants_reads', True)), fields=['-result_score', 'id'], name='study_wanting_score'),
        ),
    ]
