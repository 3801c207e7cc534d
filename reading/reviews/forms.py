"""The form of a review."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from diagnosis.models import Study
from reading.models import Review
from reading.region import Region, RegionRefused
from reading.reviews.service import MAX_COMMENT
from reading.reviews.timing import LONGEST

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_AGREES, _DISAGREES = "yes", "no"
_EDGES = ("region_left", "region_top", "region_width", "region_height")
SAVE, SIGN = "save", "sign"


def _whole_number() -> forms.NumberInput:
    return forms.NumberInput(attrs={"class": "form-control", "inputmode": "numeric", "autocomplete": "off"})


def _pixels(label: "StrOrPromise") -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=0,
        max_value=100_000,
        widget=_whole_number(),
        error_messages={
            "invalid": _("Pixels are whole numbers."),
            "min_value": _("Pixels are counted from 0."),
            "max_value": _("That is beyond any film."),
        },
    )


class ReviewForm(forms.Form):
    """A reader's opinion. Whether they agree with the AI is asked only where they see a result of it."""

    agrees_with_ai = forms.TypedChoiceField(
        label=_("Do you agree with the AI?"),
        choices=[(_AGREES, _("Agree")), (_DISAGREES, _("Disagree"))],
        coerce=lambda choice: choice == _AGREES,
        empty_value=None,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Say whether you agree with the AI."),
            "invalid_choice": _("Choose whether you agree or disagree with the AI."),
        },
    )
    finding = forms.ChoiceField(
        label=_("Your own finding"),
        choices=Review.Finding.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose your own finding."),
            "invalid_choice": _("Choose one of the findings of the list."),
        },
    )
    confidence = forms.IntegerField(
        label=_("How sure are you, from 0 to 100?"),
        min_value=0,
        max_value=100,
        widget=_whole_number(),
        error_messages={
            "required": _("Say how sure you are, from 0 to 100."),
            "invalid": _("Confidence is a whole number from 0 to 100."),
            "min_value": _("Confidence is at least 0."),
            "max_value": _("Confidence is at most 100."),
        },
    )
    region_left = _pixels(_("Left edge"))
    region_top = _pixels(_("Top edge"))
    region_width = _pixels(_("Width"))
    region_height = _pixels(_("Height"))
    comment = forms.CharField(
        label=_("Comment"),
        required=False,
        max_length=MAX_COMMENT,
        help_text=_("Never a name or a hospital number."),
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 3}),
        error_messages={"max_length": _("A comment has at most %(limit_value)d characters. Shorten it.")},
    )
    # Counted by the page's script: an invalid value must never keep a reader from saving.
    opened = forms.CharField(required=False, widget=forms.HiddenInput)
    active_seconds = forms.CharField(required=False, widget=forms.HiddenInput)
    password = forms.CharField(
        label=_("Your password again"),
        required=False,
        max_length=4096,
        strip=False,
        help_text=_("Signing makes this read final. What you think of later is added to it."),
        widget=forms.PasswordInput(attrs={"class": "form-control", "autocomplete": "current-password"}),
    )

    def __init__(
        self, data: Any = None, *, study: Study, asks_agreement: bool, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial, auto_id="review-%s")
        self.film = (study.width, study.height)
        if not asks_agreement:
            del self.fields["agrees_with_ai"]

    def clean_active_seconds(self) -> int | None:
        """Return the page's count, None where it is invalid."""
        text: str = self.cleaned_data["active_seconds"]
        is_count = text.isascii() and text.isdecimal() and len(text) <= len(str(LONGEST))
        return int(text) if is_count else None

    def clean(self) -> dict[str, Any]:
        """Build the region from all four numbers, or from none."""
        data = super().clean() or {}
        edges = [data.pop(name, None) for name in _EDGES]
        data["region"] = None
        given = [edge for edge in edges if edge is not None]
        if len(given) == len(edges):
            try:
                data["region"] = Region.from_pixels(*given, film=self.film)
            except RegionRefused as refusal:
                self.add_error("region_left", refusal.message)
        elif given and not any(name in self.errors for name in _EDGES):
            self.add_error(
                "region_left", _("A region needs all four numbers. Fill them in, or clear them all.")
            )
        return data

    @property
    def edges(self) -> list[forms.BoundField]:
        """The four fields of the region."""
        return [self[name] for name in _EDGES]

    @property
    def has_region(self) -> bool:
        """True when anything of a region is filled in."""
        return any(field.value() not in (None, "") for field in self.edges)

    @staticmethod
    def initial_of(review: Review | None, *, film: tuple[int, int]) -> dict[str, Any]:
        """Return the form's initial values from an earlier opinion."""
        if review is None:
            return {}
        edges = review.region.in_pixels(film) if review.region else {}
        return {
            "agrees_with_ai": {True: _AGREES, False: _DISAGREES, None: None}[review.agrees_with_ai],
            "finding": review.finding,
            "confidence": review.confidence,
            "comment": review.comment,
            **{f"region_{name}": value for name, value in edges.items()},
        }
