"""Forms for uploading films and beginning batches."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.forms.models import ModelChoiceIterator
from django.utils.translation import gettext_lazy as _

from core.errors import FilmRefused
from core.users import AnyUser
from diagnosis.models import Project, Site, Study
from diagnosis.studies.sites import check_site


class MultipleFileInput(forms.ClearableFileInput):
    """A file picker that takes many files at once."""

    allow_multiple_selected = True


class MultipleFileField(forms.FileField):
    """Any number of files, as a list. The service checks their content file by file."""

    widget = MultipleFileInput

    def clean(self, data: Any, initial: Any = None) -> "list[UploadedFile[bytes]]":
        """Return the files, empty ones included, so that each gets its own answer."""
        return [file for file in data or [] if file]


class _SitesByProject(ModelChoiceIterator):  # type: ignore[type-arg]  # no generic when it runs
    """Sites grouped by the names of their projects."""

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        yield "", self.field.empty_label
        for project, sites in groupby(self.queryset, key=lambda site: site.project.name):
            yield project, [self.choice(site) for site in sites]


class SiteField(forms.ModelChoiceField):  # type: ignore[type-arg]  # no generic when it runs
    """A site of the person's projects."""

    iterator = _SitesByProject

    def __init__(self, *, empty_label: Any) -> None:
        super().__init__(
            Site.objects.none(),
            label=_("Site"),
            required=False,
            empty_label=empty_label,
            error_messages={"invalid_choice": _("The project has no such site. Choose one of its own.")},
            widget=forms.Select(attrs={"class": "form-select"}),
        )


def sites_for(user: AnyUser) -> QuerySet[Site]:
    """Return the sites of the person's projects, in the order in which `SiteField` offers them."""
    sites = Site.objects.visible_to(user).select_related("project")
    return sites.order_by("project__name", "project", "code")


class ProjectAndSiteForm(forms.Form):
    """A project that the person works in, and one of its sites if there are any."""

    project: Any
    site: Any = SiteField(empty_label=_("None"))

    def __init__(self, *args: Any, user: AnyUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        projects = Project.objects.visible_to(user)
        self.fields["project"].queryset = projects  # type: ignore[attr-defined]  # a ModelChoiceField
        sites = sites_for(user)
        self.fields["site"].queryset = sites  # type: ignore[attr-defined]  # a ModelChoiceField
        if not sites.exists() and not self.data.get("site"):
            del self.fields["site"]

    def clean(self) -> dict[str, Any]:
        """Check that the site is one of the project's."""
        data = super().clean() or {}
        if data.get("project"):
            try:
                check_site(project=data["project"], site=data.get("site"))
            except FilmRefused as refusal:
                self.add_error("site", str(refusal.message))
        return data


class UploadForm(ProjectAndSiteForm):
    """Films for one project: files, or the URL of one."""

    project = forms.ModelChoiceField(
        label=_("Project"),
        queryset=Project.objects.none(),
        empty_label=None,
        error_messages={
            "required": _("Choose the project that the film belongs to."),
            "invalid_choice": _("You do not work in this project. Choose one from the list."),
        },
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    subject_code = forms.CharField(
        label=_("Subject code"),
        required=False,
        max_length=40,
        validators=Study._meta.get_field("subject_code").validators[:1],
        help_text=_("Optional, for example S-017: your own code, never a name or a hospital number."),
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off", "spellcheck": "false"}),
    )
    file = MultipleFileField(
        required=False,
        widget=MultipleFileInput(
            attrs={"accept": "image/jpeg,image/png,application/dicom,.jpg,.jpeg,.png,.dcm,.dicom"}
        ),
    )
    url = forms.CharField(
        required=False,
        max_length=2000,
        label=_("Or the URL of a film"),
        widget=forms.URLInput(
            attrs={
                "class": "form-control",
                "placeholder": "https://…",
                "autocomplete": "off",
                "spellcheck": "false",
            }
        ),
    )

    def __init__(self, *args: Any, user: AnyUser, **kwargs: Any) -> None:
        super().__init__(*args, user=user, **kwargs)
        if not settings.URL_INTAKE:
            self.fields["url"].widget.attrs["disabled"] = True

    def clean(self) -> dict[str, Any]:
        """Require a film."""
        data = super().clean()
        if not self.errors and not data.get("file") and not data.get("url"):
            self.add_error("file", _("Choose at least one film, a JPEG, PNG or DICOM file."))
        return data


class BatchForm(ProjectAndSiteForm):
    """A new batch: its project, and the archive or the number of films that follow."""

    project = forms.ModelChoiceField(
        label=_("Project"),
        queryset=Project.objects.none(),
        empty_label=None,
        error_messages={
            "required": _("Choose the project that the films belong to."),
            "invalid_choice": _("You do not work in this project. Choose one from the list."),
        },
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    archive = forms.FileField(
        label=_("ZIP archive of films"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".zip,application/zip"}),
    )
    codes_from_names = forms.BooleanField(
        label=_("The subject code is the file's name up to the first “_”"),
        required=False,
        widget=forms.CheckboxInput(
            attrs={"class": "form-check-input", "aria-describedby": "id_codes_from_names_helptext"}
        ),
    )
    expected = forms.IntegerField(required=False, min_value=1, max_value=100_000, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """Require an archive or a number of films."""
        data = super().clean()
        if not self.errors and data.get("archive") is None and data.get("expected") is None:
            self.add_error("archive", _("Choose a ZIP archive of films."))
        return data
