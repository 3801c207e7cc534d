"""What people may type into the pages about films."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from diagnosis.models import Project, Study
from diagnosis.roles import AnyUser


class ManyFilesInput(forms.ClearableFileInput):
    """A file picker that takes many files at once."""

    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Any number of files, as a list. What is in them is checked by the verb, file by file."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> "list[UploadedFile[bytes]]":
        """Return the files; empty ones stay in, so that each gets its own answer."""
        return [file for file in data or [] if file]


class UploadForm(forms.Form):
    """Films for one project: files, or the URL of one."""

    project = forms.ModelChoiceField(
        queryset=Project.objects.none(),
        empty_label=None,
        error_messages={
            "required": "Choose the project that the film belongs to.",
            "invalid_choice": "You do not work in this project. Choose one from the list.",
        },
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    subject_code = forms.CharField(
        required=False,
        max_length=40,
        validators=Study._meta.get_field("subject_code").validators[:1],
        help_text="Optional, for example S-017: your own code, never a name or a hospital number.",
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off", "spellcheck": "false"}),
    )
    file = ManyFilesField(
        required=False,
        widget=ManyFilesInput(
            attrs={"accept": "image/jpeg,image/png,application/dicom,.jpg,.jpeg,.png,.dcm,.dicom"}
        ),
    )
    url = forms.CharField(
        required=False,
        max_length=2000,
        label="Or the URL of a film",
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
        super().__init__(*args, **kwargs)
        project = self.fields["project"]
        assert isinstance(project, forms.ModelChoiceField)  # noqa: S101  # for the type checker
        project.queryset = Project.objects.visible_to(user)
        if not settings.URL_INTAKE:
            self.fields["url"].widget.attrs["disabled"] = True

    def clean(self) -> dict[str, Any]:
        """Ask for a film where there is none."""
        data = super().clean() or {}
        if not self.errors and not data.get("file") and not data.get("url"):
            self.add_error("file", "Choose at least one film, a JPEG, PNG or DICOM file.")
        return data
