"""What the scope gate and the check of the map found, and how coloured the file was."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the fields; earlier results were not checked."""

    dependencies = [("diagnosis", "0007_dicom_fields")]

    operations = [
        migrations.AddField(
            model_name="study",
            name="colour_fraction",
            field=models.FloatField(
                editable=False,
                help_text="Share of clearly coloured pixels in the file as sent, 0 to 1.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="prediction",
            name="scope_flags",
            field=models.JSONField(
                help_text="Codes of what puts the film out of the model's scope; null: not checked.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="prediction",
            name="map_flags",
            field=models.JSONField(
                help_text="Codes of what makes the map unreliable; null: not checked.", null=True
            ),
        ),
    ]
