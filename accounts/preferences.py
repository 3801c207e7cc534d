"""A person's preferences, loaded once per request; only they themselves change them."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import UserPreference
from core.errors import Refused
from core.users import AnyUser, KeptWithUser


class PreferenceRefused(Refused):
    """A preference is not one of those that can be chosen."""


@dataclass(frozen=True)
class Preferences:
    """One person's preferences, with the installation's defaults filled in.

    `theme` is system, light or dark, "" where nothing was ever stored for them; `language` is a code of
    settings.LANGUAGES or "" (as the browser says); `colour_map` a name of
    pneumoml.explain.heatmap.COLOUR_MAPS; `alpha` the opacity of the map, 0 to 1.
    """

    theme: str
    language: str
    colour_map: str
    alpha: float


def preferences_of(user: AnyUser) -> Preferences:
    """Return the person's preferences, loaded once per user object; for a visitor the defaults."""
    return _PREFERENCES.of(user)


def _stored_preferences(user: AnyUser) -> Preferences:
    row = UserPreference.objects.filter(user=user).first() if isinstance(user, User) else None
    return Preferences(
        theme=row.theme if row else "",
        language=row.language if row and row.language in dict(settings.LANGUAGES) else "",
        colour_map=(row.colour_map if row else "") or settings.GRADCAM_COLOUR_MAP,
        alpha=settings.GRADCAM_ALPHA if row is None or row.alpha is None else row.alpha,
    )


_PREFERENCES = KeptWithUser("preferences", _stored_preferences)


def save_preferences(
    *,
    actor: User,
    theme: str | None = None,
    language: str | None = None,
    colour_map: str | None = None,
    alpha: float | None = None,
    own_alpha: bool = True,
) -> Preferences:
    """Store the given values and return all; `own_alpha` False resets alpha to the installation's.

    Writes no audit event: display settings concern neither films nor access.
    Raises PreferenceRefused when a value is not one of the choices; nothing is stored then.
    """
    given: dict[str, Any] = {"theme": theme, "language": language, "colour_map": colour_map, "alpha": alpha}
    if alpha is not None and not 0 <= alpha <= 1:  # NaN too
        raise PreferenceRefused("preference_unknown", _("The opacity lies between 0 and 1."))
    changes = {name: value for name, value in given.items() if value is not None}
    if not own_alpha:
        changes["alpha"] = None
    row = UserPreference.objects.filter(user=actor).first() or UserPreference(user=actor)
    for name, value in changes.items():
        setattr(row, name, value)
    try:
        row.clean_fields(exclude=["user"])
    except ValidationError as invalid:
        raise PreferenceRefused("preference_unknown", " ".join(invalid.messages)) from invalid
    UserPreference.objects.update_or_create(user=actor, defaults=changes)
    _PREFERENCES.forget(actor)
    return preferences_of(actor)
