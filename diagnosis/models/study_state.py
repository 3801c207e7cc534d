"""State of a film, denormalised so that lists find it by an index: newest result, reads."""

from django.db import models

WITHOUT_SCORE = -1.0  # sorts behind every score


class StudyState(models.Model):
    """Mixed into Study. Database triggers write every column; no program does.

    A change of a prediction, a review or a project's reading rules updates them in the same transaction. The
    triggers for results are created by a migration of `diagnosis`, those for reads by one of `reading`.
    `result_…` belong to the newest prediction, whoever may see it: callers check `ai_hidden`.
    """

    result_status = models.CharField(max_length=9, default="", db_default="", editable=False)
    result_outcome = models.CharField(max_length=9, default="", db_default="", editable=False)
    result_score = models.FloatField(
        default=WITHOUT_SCORE,
        db_default=WITHOUT_SCORE,
        editable=False,
        help_text="The calibrated probability, 0 to 1; −1 without one.",
    )
    is_reviewed = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="Whether it has any review, drafts too."
    )
    reads_signed = models.SmallIntegerField(
        default=0, db_default=0, editable=False, help_text="Signed reads, without addenda."
    )
    reads_differ = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Whether signed reads name different findings; “not readable” is none.",
    )
    wants_reads = models.BooleanField(
        default=True,
        db_default=True,
        editable=False,
        help_text="Whether its project's rules ask for further reads, or somebody has begun one.",
    )

    class Meta:
        abstract = True
