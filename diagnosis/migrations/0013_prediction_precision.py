"""Which arithmetic gave a result; earlier results were float32 all."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the precision."""

    dependencies = [("diagnosis", "0012_sites")]

    operations = [
        migrations.AddField(
            model_name="prediction",
            name="precision",
            field=models.CharField(
                max_length=10,
                blank=True,
                default="",
                help_text="The arithmetic of the network's convolutions: float32, bfloat16.",
            ),
            preserve_default=False,
        ),
    ]
