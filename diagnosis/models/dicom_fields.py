"""What a film keeps of a DICOM header: coded values, numbers, a pseudonym, how it was de-identified."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from pneumoml.decoding.dicom.record import LATERALITIES, MODALITIES, SEXES, VIEW_POSITIONS


class DicomFields(models.Model):
    """Mixed into Study. Empty for JPEG and PNG, except `burned_in_text`, which pixels can show too."""

    class BurnedInText(models.TextChoices):
        DECLARED = "declared", _("The file says that text is burned in")
        SUSPECTED = "suspected", _("Looks like burned-in text")
        CLEARED = "cleared", _("Looked at: nothing identifying")

    modality = models.CharField(max_length=2, blank=True, choices=list(MODALITIES.items()), editable=False)
    view_position = models.CharField(
        max_length=3, blank=True, choices=[(view, view) for view in VIEW_POSITIONS], editable=False
    )
    laterality = models.CharField(
        max_length=1, blank=True, choices=[(side, side) for side in LATERALITIES], editable=False
    )
    sex = models.CharField(max_length=1, blank=True, choices=[(sex, sex) for sex in SEXES], editable=False)
    age_years = models.PositiveSmallIntegerField(
        null=True, editable=False, help_text="Full years at the study; 90 means 90 or older."
    )
    row_spacing_mm = models.FloatField(null=True, editable=False, help_text="Millimetres from row to row.")
    column_spacing_mm = models.FloatField(null=True, editable=False)
    spacing_at_detector = models.BooleanField(
        default=False, editable=False, help_text="Measured at the detector: the patient is magnified."
    )
    pseudonym = models.CharField(
        max_length=20, blank=True, editable=False, help_text="Keyed: the same patient gets the same one."
    )
    deidentification = models.CharField(max_length=64, blank=True, editable=False)
    burned_in_text = models.CharField(max_length=9, blank=True, choices=BurnedInText.choices, editable=False)

    class Meta:
        abstract = True

    @property
    def may_show_a_name(self) -> bool:
        """True while burned-in text is declared or suspected and nobody has cleared it."""
        return self.burned_in_text in NOT_LOOKED_AT


NOT_LOOKED_AT = (DicomFields.BurnedInText.DECLARED, DicomFields.BurnedInText.SUSPECTED)
