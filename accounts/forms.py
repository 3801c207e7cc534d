"""The form of preferences."""

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from accounts.models import UserPreference
from accounts.models.preferences import colour_map_choices, language_choices


def _select() -> forms.Select:
    return forms.Select(attrs={"class": "form-select"})


class PreferencesForm(forms.Form):
    """A person's own choices; an empty one leaves it to the browser or to the installation."""

    theme = forms.ChoiceField(label=_("Theme"), choices=UserPreference.Theme.choices, widget=_select())
    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=lambda: [("", _("As the browser says")), *language_choices()],
        widget=_select(),
    )
    colour_map = forms.ChoiceField(
        label=_("Colours of the map"),
        required=False,
        choices=lambda: [("", _("As the installation does it")), *colour_map_choices()],
        help_text=_("With which colours a film's map is shown at first."),
        widget=_select(),
    )
    alpha = forms.IntegerField(
        label=_("Opacity of the map, in per cent"),
        required=False,
        min_value=0,
        max_value=100,
        help_text=_(
            "0 to 100: how strongly the map covers the film at first. Empty: as the installation does it."
        ),
        widget=forms.NumberInput(attrs={"class": "form-control", "inputmode": "numeric"}),
    )

    def __init__(self, data: Any = None, *, user: User) -> None:
        super().__init__(data, initial=_initial(user))

    def choices(self) -> dict[str, Any]:
        """Return the valid choices as `save_preferences` takes them."""
        data = self.cleaned_data
        alpha = data["alpha"]
        return {
            "theme": data["theme"],
            "language": data["language"],
            "colour_map": data["colour_map"],
            "alpha": None if alpha is None else alpha / 100,
            "own_alpha": alpha is not None,
        }


def _initial(user: User) -> dict[str, Any]:
    row: UserPreference | None = getattr(user, "preference", None)
    if row is None:
        return {"theme": UserPreference.Theme.SYSTEM}
    alpha = None if row.alpha is None else round(100 * row.alpha)
    return {"theme": row.theme, "language": row.language, "colour_map": row.colour_map, "alpha": alpha}
