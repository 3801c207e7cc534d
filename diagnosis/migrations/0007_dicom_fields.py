"""What a study keeps of a DICOM header."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("diagnosis", "0006_prediction_cam_area"),
    ]

    operations = [
        migrations.AddField(
            model_name="study",
            name="age_years",
            field=models.PositiveSmallIntegerField(
                editable=False, help_text="Full years at the study; 90 means 90 or older.", null=True
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="burned_in_text",
            field=models.CharField(
                blank=True,
                choices=[
                    ("declared", "The file says that text is burned in"),
                    ("suspected", "Looks like burned-in text"),
                    ("cleared", "Looked at: nothing identifying"),
                ],
                editable=False,
                max_length=9,
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="column_spacing_mm",
            field=models.FloatField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="study",
            name="deidentification",
            field=models.CharField(blank=True, editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name="study",
            name="laterality",
            field=models.CharField(
                blank=True,
                choices=[("L", "L"), ("R", "R"), ("B", "B"), ("U", "U")],
                editable=False,
                max_length=1,
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="modality",
            field=models.CharField(
                blank=True,
                choices=[
                    ("CR", "computed radiography"),
                    ("DX", "digital radiography"),
                    ("RF", "radiofluoroscopy"),
                    ("RG", "film radiography"),
                ],
                editable=False,
                max_length=2,
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="pseudonym",
            field=models.CharField(
                blank=True,
                editable=False,
                help_text="Keyed: the same patient gets the same one.",
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="row_spacing_mm",
            field=models.FloatField(editable=False, help_text="Millimetres from row to row.", null=True),
        ),
        migrations.AddField(
            model_name="study",
            name="sex",
            field=models.CharField(
                blank=True, choices=[("F", "F"), ("M", "M"), ("O", "O")], editable=False, max_length=1
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="spacing_at_detector",
            field=models.BooleanField(
                default=False, editable=False, help_text="Measured at the detector: the patient is magnified."
            ),
        ),
        migrations.AddField(
            model_name="study",
            name="view_position",
            field=models.CharField(
                blank=True,
                choices=[
                    ("PA", "PA"),
                    ("AP", "AP"),
                    ("LL", "LL"),
                    ("RL", "RL"),
                    ("LLD", "LLD"),
                    ("RLD", "RLD"),
                    ("LLO", "LLO"),
                    ("RLO", "RLO"),
                ],
                editable=False,
                max_length=3,
            ),
        ),
        migrations.AlterField(
            model_name="study",
            name="media_format",
            field=models.CharField(
                choices=[("JPEG", "Jpeg"), ("PNG", "Png"), ("DICOM", "Dicom")], max_length=5
            ),
        ),
    ]
