"""The filters of the film list as a form; it makes a FilmQuery."""

from datetime import date
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core import signing
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import OuterRef, Subquery
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from core.users import AnyUser
from diagnosis.forms import SiteField, sites_for
from diagnosis.models import Prediction, Project
from reading.lists.cursors import Cursor
from reading.lists.film_query import BORDERLINE, NEWEST, FilmOrder, FilmQuery, visible_films
from reading.models import Tag

ANY = ("", _("Any"))
REVIEW_STATES = [
    ("unreviewed", _("Unreviewed")),
    ("reviewed", _("Reviewed")),
    ("agreed", _("A reader agreed")),
    ("disagreed", _("A reader disagreed")),
]
_FILTERS = ("q", "status", "result", "review", "project", "site", "uploader", "tag", "since", "until")
_DAYS = [MinValueValidator(date(1900, 1, 1)), MaxValueValidator(date(2999, 12, 31))]


class FilmFilterForm(forms.Form):
    """The filters of the film list, each optional. A valid form has `order`, `position` and `query`."""

    order: FilmOrder
    position: Cursor | None

    q = forms.CharField(required=False, max_length=200, label=_("Search"))
    status = forms.ChoiceField(required=False, choices=[ANY, *Prediction.Status.choices])
    result = forms.ChoiceField(
        required=False, choices=[ANY, *Prediction.Outcome.choices, (BORDERLINE, _("Borderline"))]
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
        # In the order of an index: otherwise PostgreSQL reads all films for each person who has none.
        newest = visible_films(user).filter(uploaded_by=OuterRef("pk")).order_by("-created_at", "-pk")
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
        """Accept the sort keys of FilmOrder; newest first by default."""
        sort: str = self.cleaned_data["sort"] or NEWEST
        try:
            self.order = FilmOrder.parse(sort, self._user)
        except ValueError as unknown:
            raise forms.ValidationError(_("This list cannot be sorted by that.")) from unknown
        return sort

    def clean(self) -> dict[str, Any]:
        """Read the cursor, whose kind depends on the sorting."""
        data = super().clean() or {}
        self.position = None
        if data.get("cursor") and "sort" in data:
            try:
                self.position = Cursor.decode(data["cursor"], column=self.order.column)
            except signing.BadSignature:
                self.add_error(None, _("This page of the list is not there. Start again at the first one."))
        return data

    @property
    def query(self) -> FilmQuery:
        """The query of a valid form."""
        return FilmQuery(self._user, self.order, **{name: self.cleaned_data[name] for name in _FILTERS})
