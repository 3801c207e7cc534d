"""Reading rules of a project: reads per film, blinding, adjudicators."""

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.utils.translation import gettext_lazy as _

from diagnosis.models import Project


class ReadingSettings(models.Model):
    """A project's reading rules; a project without a row has the defaults."""

    class ReadsPerFilm(models.IntegerChoices):
        EVERY_READER = 0, _("Every reader reads every film")
        ONE = 1, _("One read a film")
        TWO = 2, _("Two reads a film, by different readers")
        THREE = 3, _("Three reads a film, by different readers")

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="reading_settings")
    reads_per_film = models.PositiveSmallIntegerField(
        _("Reads"),
        choices=ReadsPerFilm.choices,
        default=ReadsPerFilm.EVERY_READER,
        help_text=_("The worklist offers a film until that many readers have signed a read of it."),
    )
    reads_blind = models.BooleanField(
        _("Readers do not see each other's opinions before they have signed their own read"),
        default=False,
        help_text=_("Where the AI result is hidden from readers, this holds in any case."),
    )
    adjudicators: "models.ManyToManyField[User, models.Model]" = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        blank=True,
        related_name="+",
        verbose_name=_("Adjudicators"),
        help_text=_(
            "Readers who decide where signed reads differ. Without any, its readers record a consensus."
        ),
    )

    class Meta:
        verbose_name_plural = "reading settings"

    def __str__(self) -> str:
        return f"Reading of {self.project}"
