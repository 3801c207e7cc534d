"""The table of the lockout, which was kept in that of axes; its counts last 15 minutes and are not taken over."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='LoginAttempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account', models.CharField(max_length=255)),
                ('address', models.GenericIPAddressField()),
                ('failed', models.PositiveIntegerField(default=0)),
                ('failed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('reserved', models.PositiveIntegerField(default=0)),
                ('reserved_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('account', 'address'), name='login_attempt_once')],
            },
        ),
    ]
