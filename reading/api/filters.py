"""API filters of reviews, and of films by their reviews."""

from typing import Any

import django_filters
from django.db.models import OuterRef
from drf_spectacular.utils import extend_schema_field

from core.expressions import ExistsForRow
from diagnosis.api.filters import StudyFilter
from diagnosis.models import AI_SHOWN, StudyQuerySet
from reading.models import OTHERS_SHOWN, Review, ReviewQuerySet, with_opinions

REVIEW_STATES = [
    ("unreviewed", "Nobody has reviewed the film"),
    ("reviewed", "Somebody has"),
    ("agreed", "A reader agrees with the AI"),
    ("disagreed", "A reader disagrees with the AI"),
]


class ReviewedStudyFilter(StudyFilter):
    """The filters of studies, and whether and how they were reviewed."""

    review_state = django_filters.ChoiceFilter(
        method="by_review_state", choices=REVIEW_STATES, label="By the current reviews."
    )

    def by_review_state(self, studies: StudyQuerySet, name: str, state: str) -> StudyQuerySet:
        """Narrow by the reviews that are current."""
        studies = studies.filter(is_reviewed=state != "unreviewed")
        if state in ("agreed", "disagreed"):  # only where neither AI result nor opinions are withheld
            current = Review.objects.filter(study=OuterRef("pk"), is_current=True)
            current = current.filter(agrees_with_ai=state == "agreed")
            return with_opinions(studies, self.request.user).filter(OTHERS_SHOWN & ExistsForRow(current))
        return studies


def _true_or_false(description: str, **settings: Any) -> django_filters.TypedChoiceFilter:
    """Return a filter that takes only the words true and false, and is described so in the schema.

    By default the schema would take the model's type: a boolean with two strings as values.
    """
    described = {"type": "string", "enum": ["true", "false"], "description": description}
    words = {"choices": [("true", "Yes"), ("false", "No")], "coerce": lambda text: text == "true"}
    return extend_schema_field(described)(django_filters.TypedChoiceFilter(**words, **settings))


class ReviewFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of the list of reviews."""

    study = django_filters.UUIDFilter(field_name="study__uid", label="Id of the study.")
    reader = django_filters.CharFilter(field_name="reader__username", label="User name.")
    finding = django_filters.ChoiceFilter(choices=Review.Finding.choices)
    agrees_with_ai = _true_or_false(
        "Does the reader agree with the AI? Withheld results have no answer.", method="by_agreement"
    )
    is_signed = _true_or_false("Is it final, or a draft?", method="by_signature")
    is_current = _true_or_false("Is it the reader's last, or was it superseded?")

    class Meta:
        model = Review
        fields: list[str] = []

    def by_agreement(self, reviews: ReviewQuerySet, name: str, agrees: bool) -> ReviewQuerySet:
        """Look where the AI result is not withheld."""
        return reviews.filter(AI_SHOWN, agrees_with_ai=agrees)

    def by_signature(self, reviews: ReviewQuerySet, name: str, is_signed: bool) -> ReviewQuerySet:
        """Keep what is final, or the drafts."""
        return reviews.filter(signed_at__isnull=not is_signed)
