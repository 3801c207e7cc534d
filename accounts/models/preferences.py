"""A person's display settings: theme, language, and the initial look of heat maps."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from pneumoml.explain.heatmap import COLOUR_MAPS


def language_choices() -> list[tuple[str, str]]:
    """Return the languages of the settings, each by its own name."""
    return list(settings.LANGUAGES)


def colour_map_choices() -> list[tuple[str, str]]:
    """Return the colour maps that a map can be drawn in."""
    return [(name, name.title()) for name in COLOUR_MAPS]


class UserPreference(models.Model):
    """One person's choices; an empty one leaves it to the browser or the installation."""

    class Theme(models.TextChoices):
        SYSTEM = "system", _("As the system says")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="preference"
    )
    theme = models.CharField(_("theme"), max_length=10, choices=Theme, default=Theme.SYSTEM)
    language = models.CharField(_("language"), max_length=10, blank=True, choices=language_choices)
    colour_map = models.CharField(
        _("colours of the map"), max_length=20, blank=True, choices=colour_map_choices
    )
    alpha = models.FloatField(_("opacity of the map"), null=True, blank=True)

    class Meta:
        db_table = "diagnosis_userpreference"

    def __str__(self) -> str:
        return f"preferences of {self.user_id}"
