"""What the history can be narrowed and sorted by, and the cursor that pages through it without counting."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core import signing
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import (
    BooleanField,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    Subquery,
)
from django.db.models.expressions import Combinable
from django.utils.functional import cached_property
from django.utils.timezone import make_aware
from django.utils.translation import gettext_lazy as _

from core.expressions import ExistsForRow
from core.users import AnyUser
from diagnosis.forms import SiteField, sites_for
from diagnosis.models import AI_SHOWN, Prediction, Project, Study, StudyQuerySet
from diagnosis.studies import search
from reading.lists.queries import beyond, scores_hidden_from, tagged, with_sort_probability
from reading.models import OTHERS_SHOWN, Review, Tag, with_opinions

ANY = ("", _("Any"))
REVIEW_STATES = [
    ("unreviewed", _("Unreviewed")),
    ("reviewed", _("Reviewed")),
    ("agreed", _("A reader agreed")),
    ("disagreed", _("A reader disagreed")),
]
SORTS = {"film": "pk", "subject": "subject_code", "uploaded": "created_at", "probability": "result_score"}
NEWEST = "-uploaded"
_BORDERLINE = "borderline"
_SALT = "history-cursor-"
_DAYS = [MinValueValidator(date(1900, 1, 1)), MaxValueValidator(date(2999, 12, 31))]


@dataclass(frozen=True)
class Cursor:
    """A place between two films: the sort value and key of the film beside it, and which way to read on."""

    value: Any
    pk: int
    backwards: bool

    def encode(self, *, column: str) -> str:
        """Return the cursor as signed text, good for addresses of lists sorted by `column`."""
        value = self.value.isoformat() if isinstance(self.value, datetime) else self.value
        return signing.dumps([value, self.pk, self.backwards], salt=_SALT + column)

    @classmethod
    def decode(cls, text: str, *, column: str) -> "Cursor":
        """Read a cursor; raises signing.BadSignature for anything that `encode` did not make for `column`."""
        value, pk, backwards = signing.loads(text, salt=_SALT + column)
        return cls(datetime.fromisoformat(value) if column == "created_at" else value, pk, backwards)


class HistoryFilter(forms.Form):
    """The filters of the history page; every one may be left out."""

    q = forms.CharField(required=False, max_length=200, label=_("Search"))
    status = forms.ChoiceField(required=False, choices=[ANY, *Prediction.Status.choices])
    result = forms.ChoiceField(
        required=False, choices=[ANY, *Prediction.Outcome.choices, (_BORDERLINE, _("Borderline"))]
    )
    review = forms.ChoiceField(required=False, choices=[ANY, *REVIEW_STATES])
    project = forms.ModelChoiceField(
        required=False, queryset=Project.objects.none(), to_field_name="slug", empty_label=_("Any")
    )
    uploader = forms.ModelChoiceField(
        required=False, queryset=User.objects.none(), to_field_name="username", empty_label=_("Anybody")
    )
    site = SiteField(empty_label=_("Any"))
    tag = forms.ModelChoiceField(required=False, queryset=Tag.objects.none(), empty_label=_("Any"))
    since = forms.DateField(
        required=False, label=_("From"), validators=_DAYS, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        required=False, label=_("To"), validators=_DAYS, widget=forms.DateInput(attrs={"type": "date"})
    )
    sort = forms.CharField(required=False, widget=forms.HiddenInput)
    cursor = forms.CharField(required=False, max_length=400, widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: AnyUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._visible = with_opinions(Study.objects.visible_to(user), user)
        # In the order of an index: otherwise PostgreSQL reads all films for each person who has none.
        newest = self._visible.filter(uploaded_by=OuterRef("pk")).order_by("-created_at", "-pk")
        self._user = user
        self._offer("project", Project.objects.visible_to(user))
        self.fields["project"].choices = self._project_choices  # type: ignore[attr-defined]
        self._offer("site", sites_for(user))
        self._offer("tag", Tag.objects.filter(project__in=Project.objects.visible_to(user)))
        self.fields["tag"].choices = self._tag_choices  # type: ignore[attr-defined]
        uploaders = User.objects.alias(newest_film=Subquery(newest.values("pk")[:1]))
        self._offer("uploader", uploaders.filter(newest_film__isnull=False).order_by("username"))
        for field in self.fields.values():
            is_choice = isinstance(field, forms.ChoiceField)
            field.widget.attrs.setdefault("class", "form-select" if is_choice else "form-control")

    def _offer(self, name: str, choices: Any) -> None:
        self.fields[name].queryset = choices  # type: ignore[attr-defined]  # a ModelChoiceField

    @cached_property
    def projects(self) -> list[Project]:
        """The projects that are offered, read once for all that shows them."""
        return list(self.fields["project"].queryset)  # type: ignore[attr-defined]  # a ModelChoiceField

    @cached_property
    def tags(self) -> list[Tag]:
        """The tags that are offered."""
        return list(self.fields["tag"].queryset)  # type: ignore[attr-defined]  # a ModelChoiceField

    def _project_choices(self) -> list[tuple[str, Any]]:
        return [ANY, *((project.slug, project.name) for project in self.projects)]

    def _tag_choices(self) -> list[tuple[Any, Any]]:
        return [ANY, *((tag.pk, tag.name) for tag in self.tags)]

    def clean_sort(self) -> str:
        """Accept the names in SORTS, with a minus for descending; newest first where nothing is asked."""
        sort: str = self.cleaned_data["sort"] or NEWEST
        if sort.removeprefix("-") not in SORTS:
            raise forms.ValidationError(_("This list cannot be sorted by that."))
        return sort

    def clean(self) -> dict[str, Any]:
        """Read the cursor, whose kind depends on the sorting."""
        data = super().clean() or {}
        data["place"] = None
        if data.get("cursor") and "sort" in data:
            try:
                data["place"] = Cursor.decode(data["cursor"], column=self.sort_column)
            except signing.BadSignature:
                self.add_error(None, _("This page of the list is not there. Start again at the first one."))
        return data

    @property
    def sort_column(self) -> str:
        """The column that the list is sorted by."""
        column = SORTS[self.cleaned_data["sort"].removeprefix("-")]
        return "sort_probability" if column == "result_score" and self._hides_scores else column

    @cached_property
    def _hides_scores(self) -> bool:
        return scores_hidden_from(self._user)

    @property
    def is_split(self) -> bool:
        """Whether the list is one of films with a score that may be seen, and behind it one of all others."""
        return self.sort_column == "sort_probability"

    @property
    def is_descending(self) -> bool:
        """Whether the largest (newest) comes first."""
        return bool(self.cleaned_data["sort"].startswith("-"))

    @property
    def is_narrowed(self) -> bool:
        """True when any filter is set."""
        names = ("q", "status", "result", "review", "project", "site", "uploader", "tag", "since", "until")
        return any(self.cleaned_data.get(name) for name in names)

    def studies(self) -> StudyQuerySet:
        """Return the visible films that fit, in order, with what a row shows of results and reviews."""
        studies = _with_review_state(self._visible)
        if self.is_split:
            studies = with_sort_probability(studies)
        studies = search.matching(self._narrowed(studies), self.cleaned_data["q"])
        return search.for_display(studies).order_by(*self.ordering())

    def ordering(self, *, backwards: bool = False) -> list[Any]:
        """Return the columns to order by; ties are broken by the key, so that paging never skips a film."""
        descending = self.is_descending != backwards
        columns = [self.sort_column] if self.sort_column == "pk" else [self.sort_column, "pk"]
        return [F(column).desc() if descending else F(column).asc() for column in columns]

    def beyond(self, place: Cursor) -> Q:
        """Return the condition for films on the far side of the cursor."""
        descending = self.is_descending != place.backwards
        if self.sort_column == "pk":
            return Q(**{f"pk__{'lt' if descending else 'gt'}": place.pk})
        return beyond(
            self.sort_column, place.value, place.pk, descending=descending, pk_descending=descending
        )

    def page(self, place: Cursor | None, count: int) -> list[Study]:
        """Return the next `count` films from a place on; before it the nearest comes first."""
        backwards = place is not None and place.backwards
        films = self.studies()
        if place is not None:
            films = films.filter(self.beyond(place))
        if not self.is_split:
            return list(films.order_by(*self.ordering(backwards=backwards))[:count])
        return self._page_of_both(films, place, count, descending=self.is_descending != backwards)

    def _page_of_both(
        self, films: StudyQuerySet, place: Cursor | None, count: int, *, descending: bool
    ) -> list[Study]:
        """Read the films with a score by its index, and the others by their number."""
        seen = Q(ai_hidden=False, result_score__gte=0)
        scored = films.filter(seen)
        if place is not None:
            scored = scored.filter(**{f"result_score__{'lte' if descending else 'gte'}": place.value})
        sign = "-" if descending else ""
        parts = [
            scored.order_by(f"{sign}result_score", f"{sign}pk"),
            films.exclude(seen).order_by(f"{sign}pk"),
        ]
        found: list[Study] = []
        for part in parts if descending else reversed(parts):
            if len(found) < count:
                found += part[: count - len(found)]
        return found

    def _narrowed(self, studies: StudyQuerySet) -> StudyQuerySet:
        chosen = self.cleaned_data
        if chosen["status"]:
            studies = studies.filter(result_status=chosen["status"])
        if chosen["result"]:
            studies = _with_result(studies, chosen["result"])
        if chosen["review"]:
            studies = studies.filter(_REVIEW_CONDITIONS[chosen["review"]])
        if chosen["project"]:
            studies = studies.filter(project=chosen["project"])
        if chosen["site"]:
            studies = studies.filter(site=chosen["site"])
        if chosen["uploader"]:
            studies = studies.filter(uploaded_by=chosen["uploader"])
        if chosen["tag"]:
            studies = tagged(studies, chosen["tag"], self._user)
        return self._in_period(studies)

    def _in_period(self, studies: StudyQuerySet) -> StudyQuerySet:
        """Both days count as whole days, in the installation's time zone."""
        since, until = self.cleaned_data["since"], self.cleaned_data["until"]
        if since:
            studies = studies.filter(created_at__gte=make_aware(datetime.combine(since, datetime.min.time())))
        if until:
            after = make_aware(datetime.combine(until, datetime.min.time()) + timedelta(days=1))
            studies = studies.filter(created_at__lt=after)
        return studies


_REVIEW_CONDITIONS = {
    "unreviewed": Q(is_reviewed=False),
    "reviewed": Q(is_reviewed=True),
    "agreed": Q(is_reviewed=True, agreed=True),
    "disagreed": Q(is_reviewed=True, disagreed=True),
}


def _with_review_state(studies: StudyQuerySet) -> StudyQuerySet:
    """Whether readers agree with the AI is told only where neither that nor it itself is withheld."""
    current = Review.objects.filter(study=OuterRef("pk"), is_current=True).order_by()
    return studies.annotate(
        agreed=_and_shown(ExistsForRow(current.filter(agrees_with_ai=True))),
        disagreed=_and_shown(ExistsForRow(current.filter(agrees_with_ai=False))),
    )


def _and_shown(condition: ExistsForRow) -> Combinable:
    return ExpressionWrapper(OTHERS_SHOWN & condition, output_field=BooleanField())


def _with_result(studies: StudyQuerySet, result: str) -> StudyQuerySet:
    if result != _BORDERLINE:
        return search.with_outcome(studies, result)
    newest = Prediction.objects.filter(study=OuterRef("pk")).order_by("-pk")
    low, high = (newest.values(f"model_version__borderline_{end}")[:1] for end in ("low", "high"))
    return studies.filter(
        AI_SHOWN,
        Q(result_score__gte=Subquery(low)),
        result_score__lte=Subquery(high),
        result_status="succeeded",
    )
