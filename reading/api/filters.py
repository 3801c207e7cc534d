"""What lists can be narrowed by where reviews are concerned."""

import django_filters
from django.db.models import Exists, OuterRef

from diagnosis.api.filters import StudyFilter
from diagnosis.models import StudyQuerySet
from reading.models import Review

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
        current = Review.objects.filter(study=OuterRef("pk"), is_current=True)
        if state == "unreviewed":
            return studies.filter(~Exists(current))
        if state == "agreed":
            current = current.filter(agrees_with_ai=True)
        elif state == "disagreed":
            current = current.filter(agrees_with_ai=False)
        return studies.filter(Exists(current))


class ReviewFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of the list of reviews."""

    study = django_filters.UUIDFilter(field_name="study__uid", label="Id of the study.")
    reader = django_filters.CharFilter(field_name="reader__username", label="User name.")
    finding = django_filters.ChoiceFilter(choices=Review.Finding.choices)
    agrees_with_ai = django_filters.TypedChoiceFilter(
        choices=[("true", "Yes"), ("false", "No")], coerce=lambda text: text == "true"
    )
    is_current = django_filters.TypedChoiceFilter(
        choices=[("true", "Yes"), ("false", "No")], coerce=lambda text: text == "true"
    )

    class Meta:
        model = Review
        fields: list[str] = []
