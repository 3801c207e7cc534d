"""The query of the film list: which visible films, in which order, and one page of them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import BooleanField, ExpressionWrapper, F, OuterRef, Q, Subquery
from django.db.models.expressions import Combinable
from django.utils.timezone import make_aware

from core.expressions import ExistsForRow
from core.users import AnyUser
from diagnosis.models import AI_SHOWN, Prediction, Project, Site, Study, StudyQuerySet
from diagnosis.studies import search
from reading.lists.cursors import Cursor, beyond
from reading.lists.queries import scores_hidden_from, tagged, with_sort_probability
from reading.models import OTHERS_SHOWN, Review, Tag, with_opinions

SORTS = {"film": "pk", "subject": "subject_code", "uploaded": "created_at", "probability": "result_score"}
NEWEST = "-uploaded"
BORDERLINE = "borderline"
_REVIEW_CONDITIONS = {
    "unreviewed": Q(is_reviewed=False),
    "reviewed": Q(is_reviewed=True),
    "agreed": Q(is_reviewed=True, agreed=True),
    "disagreed": Q(is_reviewed=True, disagreed=True),
}


@dataclass(frozen=True)
class FilmOrder:
    """The column that films are sorted by; `name` is one of SORTS."""

    name: str
    column: str
    is_descending: bool

    @classmethod
    def parse(cls, text: str, user: AnyUser) -> "FilmOrder":
        """Read a name in SORTS, with a minus for descending; raises ValueError for any other text.

        Where a score may be withheld from the person, the list is sorted by what they may see.
        """
        name = text.removeprefix("-")
        if name not in SORTS:
            raise ValueError(text)
        column = SORTS[name]
        if column == "result_score" and scores_hidden_from(user):
            column = "sort_probability"
        return cls(name, column, text.startswith("-"))

    @property
    def is_split(self) -> bool:
        """Whether films with a score that may be seen are read apart from all others."""
        return self.column == "sort_probability"

    def columns(self, *, backwards: bool = False) -> list[Any]:
        """Return the columns to order by; ties are broken by the key, so that paging never skips a film."""
        descending = self.is_descending != backwards
        columns = [self.column] if self.column == "pk" else [self.column, "pk"]
        return [F(column).desc() if descending else F(column).asc() for column in columns]

    def beyond(self, cursor: Cursor) -> Q:
        """Return the condition for films on the far side of the cursor."""
        descending = self.is_descending != cursor.backwards
        if self.column == "pk":
            return Q(**{f"pk__{'lt' if descending else 'gt'}": cursor.pk})
        return beyond(self.column, cursor.value, cursor.pk, descending=descending, pk_descending=descending)

    def cursor_at(self, study: Study, *, backwards: bool) -> str:
        """Return the encoded cursor beside a film of the list."""
        return Cursor(getattr(study, self.column), study.pk, backwards).encode(column=self.column)


@dataclass(frozen=True)
class FilmQuery:
    """Filters and order of a person's film list; an empty filter keeps every film.

    `status`, `result` and `review` are values of the history's form, `since` and `until` whole days.
    """

    user: AnyUser
    order: FilmOrder
    q: str = ""
    status: str = ""
    result: str = ""
    review: str = ""
    project: Project | None = None
    site: Site | None = None
    uploader: User | None = None
    tag: Tag | None = None
    since: date | None = None
    until: date | None = None

    @property
    def is_narrowed(self) -> bool:
        """True when any filter is set."""
        choices = (self.q, self.status, self.result, self.review, self.project, self.site, self.uploader)
        return any((*choices, self.tag, self.since, self.until))

    def films(self) -> StudyQuerySet:
        """Return the visible films that fit, in order, with what a row shows of results and reviews."""
        films = _with_review_state(visible_films(self.user))
        if self.order.is_split:
            films = with_sort_probability(films)
        films = search.matching(self._narrowed(films), self.q)
        return search.for_display(films).order_by(*self.order.columns())

    def page(self, cursor: Cursor | None, count: int) -> list[Study]:
        """Return the next `count` films from a cursor on; before it the nearest comes first."""
        backwards = cursor is not None and cursor.backwards
        films = self.films()
        if cursor is not None:
            films = films.filter(self.order.beyond(cursor))
        if not self.order.is_split:
            return list(films.order_by(*self.order.columns(backwards=backwards))[:count])
        return _page_of_both(films, cursor, count, descending=self.order.is_descending != backwards)

    def _narrowed(self, films: StudyQuerySet) -> StudyQuerySet:
        if self.status:
            films = films.filter(result_status=self.status)
        if self.result:
            films = _with_result(films, self.result)
        if self.review:
            films = films.filter(_REVIEW_CONDITIONS[self.review])
        chosen = {"project": self.project, "site": self.site, "uploaded_by": self.uploader}
        films = films.filter(**{name: value for name, value in chosen.items() if value})
        if self.tag:
            films = tagged(films, self.tag, self.user)
        return self._in_period(films)

    def _in_period(self, films: StudyQuerySet) -> StudyQuerySet:
        """Both days count as whole days, in the installation's time zone."""
        if self.since:
            films = films.filter(created_at__gte=_midnight(self.since))
        if self.until:
            films = films.filter(created_at__lt=_midnight(self.until + timedelta(days=1)))
        return films


def visible_films(user: AnyUser) -> StudyQuerySet:
    """Return the films that the person may see, each with `others_hidden`."""
    return with_opinions(Study.objects.visible_to(user), user)


def _midnight(day: date) -> datetime:
    return make_aware(datetime.combine(day, datetime.min.time()))


def _page_of_both(
    films: StudyQuerySet, cursor: Cursor | None, count: int, *, descending: bool
) -> list[Study]:
    """Read the films with a score by its index, and the others by their number."""
    seen = Q(ai_hidden=False, result_score__gte=0)
    scored = films.filter(seen)
    if cursor is not None:
        scored = scored.filter(**{f"result_score__{'lte' if descending else 'gte'}": cursor.value})
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


def _with_review_state(studies: StudyQuerySet) -> StudyQuerySet:
    """Add `agreed` and `disagreed`: false where the AI result or others' opinions are withheld."""
    current = Review.objects.filter(study=OuterRef("pk"), is_current=True).order_by()
    return studies.annotate(
        agreed=_and_shown(ExistsForRow(current.filter(agrees_with_ai=True))),
        disagreed=_and_shown(ExistsForRow(current.filter(agrees_with_ai=False))),
    )


def _and_shown(condition: ExistsForRow) -> Combinable:
    return ExpressionWrapper(OTHERS_SHOWN & condition, output_field=BooleanField())


def _with_result(studies: StudyQuerySet, result: str) -> StudyQuerySet:
    if result != BORDERLINE:
        return search.with_outcome(studies, result)
    newest = Prediction.objects.filter(study=OuterRef("pk")).order_by("-pk")
    low, high = (newest.values(f"model_version__borderline_{end}")[:1] for end in ("low", "high"))
    return studies.filter(
        AI_SHOWN,
        Q(result_score__gte=Subquery(low)),
        result_score__lte=Subquery(high),
        result_status="succeeded",
    )
