"""Forms: the dashboard's selection, a new site, the local prevalence."""

from datetime import date

from django import forms
from django.contrib.auth.models import User
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from diagnosis.models import ModelVersion, Project, Site
from insight.statistics.period import DEFAULT_WEEKS, LENGTHS, Period
from insight.statistics.selection import Selection

_DAYS = [MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2999, 12, 31))]


def active_or_newest() -> ModelVersion | None:
    """Return the version that analyses new films, or the newest where none does."""
    active = ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE).first()
    return active or ModelVersion.objects.first()


class SelectionForm(forms.Form):
    """Project, weeks and model version, each optional."""

    project = forms.ModelChoiceField(
        label=_("Project"),
        required=False,
        queryset=Project.objects.none(),
        to_field_name="slug",
        empty_label=_("All of mine"),
    )
    weeks = forms.TypedChoiceField(
        label=_("Weeks"),
        coerce=int,
        choices=[(weeks, str(weeks)) for weeks in LENGTHS],
    )
    until = forms.DateField(
        label=_("Up to the week of"),
        required=False,
        validators=_DAYS,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    version = forms.ModelChoiceField(
        label=_("Model"),
        required=False,
        queryset=ModelVersion.objects.defer("card"),
        to_field_name="version",
        empty_label=_("The active one"),
    )

    def __init__(self, data: QueryDict, *, user: User) -> None:
        given = data.copy()
        given["weeks"] = given.get("weeks") or str(DEFAULT_WEEKS)
        super().__init__(given)
        self._user = user
        self.fields["project"].queryset = Project.objects.visible_to(user)  # type: ignore[attr-defined]  # a ModelChoiceField
        self.fields["weeks"].widget.attrs["class"] = "form-select"
        for name in ("project", "version"):
            self.fields[name].widget.attrs["class"] = "form-select"
        self.fields["until"].widget.attrs["class"] = "form-control"

    def selection(self) -> Selection:
        """Return the selection; without a day the period ends with this week."""
        chosen = self.cleaned_data
        return Selection(
            user=self._user,
            period=Period.ending(chosen["until"] or timezone.localdate(), chosen["weeks"]),
            project=chosen["project"],
            version=chosen["version"] or active_or_newest(),
        )


class SiteForm(forms.ModelForm):  # type: ignore[type-arg]  # no generic when it runs
    """A new site of a project."""

    class Meta:
        model = Site
        fields = ["code", "name"]
        widgets = {
            "code": forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
            "name": forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
        }


class PrevalenceForm(forms.Form):
    """The local prevalence in per cent, and the model version."""

    prevalence = forms.FloatField(
        label=_("Local prevalence of pneumonia, in %"),
        min_value=0.1,
        max_value=99,
        required=False,
        widget=forms.NumberInput(
            attrs={"class": "form-control", "step": "any", "inputmode": "decimal", "list": "prevalences"}
        ),
    )
    version = forms.ModelChoiceField(
        required=False,
        queryset=ModelVersion.objects.all(),
        to_field_name="version",
        widget=forms.HiddenInput,
    )
