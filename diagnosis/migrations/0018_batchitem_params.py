"""Refused files of batches keep what varies in the decoder's message, so that it is translated by its code."""

import re

from django.db import migrations, models

# The messages with parameters that 0.1.0 stored in English.
STORED = [
    ("file_too_large", r"The file is larger than (?P<limit>\d+) MB\. Export the film as a smaller file\."),
    ("several_frames", r"The file holds (?P<count>\d+) pictures\. Upload one film per file, .+"),
    ("unsupported_format", r"This is (?P<format>.+?)\. Export the film as JPEG or PNG\."),
    ("broken_header", r"The (?P<format>.+?) header is damaged\. Export or copy the film again\."),
    ("too_small", r"The picture is (?P<width>\d+) × (?P<height>\d+) pixels; a film needs at least (?P<least>\d+) a side\."),
    (
        "too_many_pixels",
        r"The picture is (?P<width>\d+) × (?P<height>\d+) pixels; at most (?P<side>\d+) along a side and (?P<all>\d+) million in all are accepted\. Export the film smaller\.",
    ),
    ("dicom_modality", r"The DICOM file holds (?P<kind>.+?)\. Only plain radiographs are read here: .+"),
]


def keep_params(apps, schema_editor):
    items = apps.get_model('diagnosis', 'BatchItem').objects.using(schema_editor.connection.alias)
    for code, pattern in STORED:
        for item in items.filter(outcome='refused', code=code).only('message').iterator(chunk_size=500):
            if found := re.fullmatch(pattern, item.message):
                items.filter(pk=item.pk).update(params=found.groupdict())


class Migration(migrations.Migration):
    dependencies = [
        ('diagnosis', '0017_moved_models'),
    ]

    operations = [
        migrations.AddField(
            model_name='batchitem',
            name='params',
            field=models.JSONField(default=dict, editable=False, help_text="What varies in the decoder's message."),
        ),
        migrations.RunPython(keep_params, migrations.RunPython.noop),
    ]
