"""Preferences: what holds without a choice, what is stored, what is refused."""

import pytest
from django.conf import settings as project_settings
from django.contrib.auth.models import User

from accounts.models import UserPreference
from accounts.preferences import PreferenceRefused, preferences_of, save_preferences
from audit.models import AuditEvent
from tests.support.cast import Cast


def again(user: User) -> User:
    """The same person as the next request sees them."""
    return User.objects.get(pk=user.pk)


def test_without_a_choice_the_installations_own_hold(cast: Cast) -> None:
    held = preferences_of(cast.rania)
    assert (held.theme, held.language) == ("", "")
    assert held.colour_map == project_settings.GRADCAM_COLOUR_MAP
    assert held.alpha == project_settings.GRADCAM_ALPHA


def test_a_choice_is_kept_and_leaves_the_others_alone(cast: Cast) -> None:
    save_preferences(actor=cast.rania, colour_map="VIRIDIS", alpha=0.0)
    save_preferences(actor=cast.rania, theme="dark")
    held = preferences_of(again(cast.rania))
    assert (held.theme, held.colour_map, held.alpha) == ("dark", "VIRIDIS", 0.0)
    assert preferences_of(again(cast.alice)).theme == ""


def test_a_choice_can_be_given_back_to_the_installation(cast: Cast) -> None:
    save_preferences(actor=cast.rania, colour_map="VIRIDIS", alpha=0.9, language="de")
    save_preferences(actor=cast.rania, colour_map="", language="", own_alpha=False)
    held = preferences_of(again(cast.rania))
    assert held.alpha == project_settings.GRADCAM_ALPHA
    assert (held.colour_map, held.language) == (project_settings.GRADCAM_COLOUR_MAP, "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"theme": "neon"},
        {"theme": ""},
        {"language": "xx"},
        {"colour_map": "PLAID"},
        {"alpha": 1.5},
        {"alpha": -0.1},
        {"alpha": float("nan")},
    ],
    ids=str,
)
def test_what_cannot_be_chosen_is_refused_and_changes_nothing(cast: Cast, wrong: dict[str, object]) -> None:
    save_preferences(actor=cast.rania, theme="light")
    with pytest.raises(PreferenceRefused) as refusal:
        save_preferences(actor=cast.rania, **wrong)  # type: ignore[arg-type]
    assert refusal.value.code == "preference_unknown"
    assert UserPreference.objects.get().theme == "light"
    assert preferences_of(again(cast.rania)).theme == "light"


def test_a_language_that_is_no_longer_offered_counts_as_none(cast: Cast) -> None:
    UserPreference.objects.create(user=cast.rania, language="fr")
    assert preferences_of(cast.rania).language == ""


def test_preferences_are_asked_once_per_request(cast: Cast, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(1):  # type: ignore[operator]
        preferences_of(cast.rania)
        preferences_of(cast.rania)


def test_preferences_leave_no_trace_in_the_audit_trail(cast: Cast) -> None:
    before = AuditEvent.objects.count()
    save_preferences(actor=cast.rania, theme="dark")
    assert AuditEvent.objects.count() == before
