"""Takes over the audit trail from the app diagnosis; the tables stay as they are."""

from django.db import migrations, models

from core.migration_operations import moved_models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
        ("diagnosis", "0016_indexes_of_few_films"),
    ]

    operations = moved_models(
        migrations.CreateModel(
            name='AuditHead',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('last_seq', models.PositiveBigIntegerField(default=0)),
                ('last_hash', models.CharField(default='0000000000000000000000000000000000000000000000000000000000000000', max_length=64)),
            ],
            options={
                'db_table': 'diagnosis_audithead',
            },
        ),
        migrations.CreateModel(
            name='AuditEvent',
            fields=[
                ('seq', models.PositiveBigIntegerField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('actor_id', models.BigIntegerField(help_text='No foreign key: the trail outlives the account.', null=True)),
                ('actor_name', models.CharField(max_length=150)),
                ('verb', models.CharField(max_length=40)),
                ('object_type', models.CharField(blank=True, max_length=40)),
                ('object_id', models.CharField(blank=True, max_length=64)),
                ('details', models.JSONField(default=dict)),
                ('previous_hash', models.CharField(max_length=64)),
                ('hash', models.CharField(max_length=64)),
            ],
            options={
                'db_table': 'diagnosis_auditevent',
                'ordering': ['-seq'],
                'indexes': [models.Index(fields=['object_type', 'object_id'], name='audit_object'), models.Index(fields=['verb', '-seq'], name='audit_verb'), models.Index(fields=['-at'], name='audit_at'), models.Index(fields=['actor_name', '-seq'], name='audit_actor')],
            },
        ),
        old="diagnosis",
        new="audit",
    )
