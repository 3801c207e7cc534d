"""What a reader fills in about a film."""

from typing import Any

from django import forms

from reading.models import Review
from reading.review import MAX_COMMENT

_AGREES, _DISAGREES = "yes", "no"


class ReviewForm(forms.Form):
    """A reader's opinion. Whether they agree with the AI is asked only where the AI has a result."""

    agrees_with_ai = forms.TypedChoiceField(
        label="Do you agree with the AI?",
        choices=[(_AGREES, "Agree"), (_DISAGREES, "Disagree")],
        coerce=lambda choice: choice == _AGREES,
        empty_value=None,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Say whether you agree with the AI.",
            "invalid_choice": "Choose whether you agree or disagree with the AI.",
        },
    )
    finding = forms.ChoiceField(
        label="Your own finding",
        choices=Review.Finding.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose your own finding.",
            "invalid_choice": "Choose one of the findings of the list.",
        },
    )
    confidence = forms.IntegerField(
        label="How sure are you, from 0 to 100?",
        min_value=0,
        max_value=100,
        widget=forms.NumberInput(
            attrs={"class": "form-control", "inputmode": "numeric", "autocomplete": "off"}
        ),
        error_messages={
            "required": "Say how sure you are, from 0 to 100.",
            "invalid": "Confidence is a whole number from 0 to 100.",
            "min_value": "Confidence is at least 0.",
            "max_value": "Confidence is at most 100.",
        },
    )
    comment = forms.CharField(
        label="Comment",
        required=False,
        max_length=MAX_COMMENT,
        help_text="Never a name or a hospital number.",
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 3}),
        error_messages={"max_length": f"A comment has at most {MAX_COMMENT} characters. Shorten it."},
    )

    def __init__(
        self, data: Any = None, *, asks_agreement: bool, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial, auto_id="review-%s")
        if not asks_agreement:
            del self.fields["agrees_with_ai"]

    @staticmethod
    def initial_of(review: Review | None) -> dict[str, Any]:
        """Return an earlier opinion as the form's first values, for a change of mind."""
        if review is None:
            return {}
        agrees = {True: _AGREES, False: _DISAGREES, None: None}[review.agrees_with_ai]
        return {
            "agrees_with_ai": agrees,
            "finding": review.finding,
            "confidence": review.confidence,
            "comment": review.comment,
        }
