"""Indexes that match how lists of films are filtered and ordered."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("diagnosis", "0014_lists_of_a_million"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='study',
            name='study_subject',
        ),
        migrations.AddIndex(
            model_name='study',
            index=models.Index(fields=['subject_code', 'id'], name='study_subject'),
        ),
        migrations.AddIndex(
            model_name='study',
            index=models.Index(fields=['subject_code'], name='study_subject_begins', opclasses=['varchar_pattern_ops']),
        ),
        migrations.AddIndex(
            model_name='study',
            index=models.Index(fields=['sha256'], name='study_sha256', opclasses=['varchar_pattern_ops']),
        ),
        migrations.AddIndex(
            model_name='study',
            index=models.Index(fields=['uploaded_by', '-created_at', '-id'], name='study_uploader_newest'),
        ),
        migrations.AddIndex(
            model_name='study',
            index=models.Index(fields=['result_status', '-created_at', '-id'], name='study_status_newest'),
        ),
        migrations.AddIndex(
            model_name='study',
            index=models.Index(fields=['result_outcome', '-created_at', '-id'], name='study_outcome_newest'),
        ),
        migrations.AddIndex(
            model_name='study',
            index=models.Index(fields=['-result_score', '-id'], name='study_score'),
        ),
        migrations.AddIndex(
            model_name='study',
            index=models.Index(condition=models.Q(('is_reviewed', True)), fields=['-created_at', '-id'], name='study_reviewed_newest'),
        ),
        migrations.AddIndex(
            model_name='study',
            index=models.Index(condition=models.Q(('reads_signed__gt', 0)), fields=['-id'], name='study_read'),
        ),
        migrations.AddIndex(
            model_name='study',
            index=models.Index(condition=models.Q(('reads_signed__gt', 0)), fields=['-created_at', '-id'], name='study_read_newest'),
        ),
        migrations.AddIndex(
            model_name='study',
            index=models.Index(condition=models.Q(('reads_differ', True)), fields=['created_at', 'id'], name='study_differs'),
        ),
        migrations.AddIndex(
            model_name='prediction',
            index=models.Index(fields=['status', 'queued_at'], name='prediction_waiting'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['actor_name', '-seq'], name='audit_actor'),
        ),
        migrations.AddIndex(
            model_name='study',
            index=models.Index(condition=models.Q(('deleted_at__isnull', True), ('wants_reads', True)), fields=['created_at', 'id'], name='study_wanting'),
        ),
        migrations.AddIndex(
            model_name='study',
            index=models.Index(condition=models.Q(('deleted_at__isnull', True), ('wants_reads', True)), fields=['project', 'created_at', 'id'], name='study_project_wanting'),
        ),
        migrations.AddIndex(
            model_name='study',
            index=models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['-deleted_at', '-id'], name='study_trash'),
        ),
    ]
