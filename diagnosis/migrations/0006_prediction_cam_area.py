"""Where on the film a Grad-CAM map lies: empty frames are cut off film by film."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the area; earlier results lie inside their card's crop."""

    dependencies = [("diagnosis", "0005_ai_visibility")]

    operations = [
        migrations.AddField(
            model_name="prediction",
            name="cam_area",
            field=models.JSONField(
                null=True,
                help_text="The part of the film the map covers: left, top, right, bottom, each 0 to 1.",
            ),
        ),
    ]
