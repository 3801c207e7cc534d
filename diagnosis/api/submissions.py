"""Parses a request with a film and passes it to submit_study."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from core.api.actor import actor_of
from core.errors import NotAllowed
from core.users import AnyUser
from diagnosis.intake.submission import Submission, submit_study
from diagnosis.intake.upload_handlers import film_too_large
from diagnosis.models import Project
from diagnosis.studies.blinding import check_answers_with_results
from diagnosis.studies.sites import site_named

_EITHER = "Send one film: a “file” as multipart form data, or the “url” of one, not both."


class SubmissionSerializer(serializers.Serializer[Any]):
    """The fields of a film that is sent in."""

    file = serializers.FileField(required=False, help_text="A chest film as JPEG, PNG or DICOM.")
    url = serializers.CharField(required=False, max_length=2000, help_text="Where the film can be fetched.")
    project = serializers.SlugField(
        required=False,
        max_length=60,
        help_text="Slug of the project. Without it: the project that is open to all, else your only one.",
    )
    subject_code = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=40,
        help_text="The subject's code in your study; never a name.",
    )
    site = serializers.CharField(
        required=False, allow_blank=True, max_length=20, help_text="Code of one of the project's sites."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require exactly one of file and url."""
        if ("file" in attrs) == ("url" in attrs):
            raise ValidationError(_EITHER, code="one_film")
        return attrs


class FileSubmissionSerializer(SubmissionSerializer):
    """A film sent as a file."""

    file = serializers.FileField(help_text="A chest film as JPEG, PNG or DICOM.")
    url = None  # type: ignore[assignment]  # how REST framework leaves out an inherited field


class UrlSubmissionSerializer(SubmissionSerializer):
    """A film to be fetched from a URL; switched off unless the installation allows it."""

    file = None  # type: ignore[assignment]  # how REST framework leaves out an inherited field
    url = serializers.CharField(max_length=2000, help_text="Where the film can be fetched.")


BODIES = {"multipart/form-data": FileSubmissionSerializer, "application/json": UrlSubmissionSerializer}


def submit(request: Request, *, answers_with_result: bool = False) -> Submission:
    """Submit the request's film.

    `answers_with_result`: only where the project lets the sender see results. Raises ValidationError,
    PayloadTooLarge, NotAllowed, or what submit_study raises; then nothing was stored.
    """
    fields = _fields(request)
    file = fields.get("file")
    project = project_for(request.user, fields.get("project"))
    if answers_with_result:
        check_answers_with_results(request.user, project)
    return submit_study(
        actor=actor_of(request),
        project=project,
        data=file.read() if file is not None else None,
        url=fields.get("url"),
        subject_code=fields.get("subject_code", ""),
        site=site_named(project=project, code=fields.get("site", "")),
    )


def _fields(request: Request) -> dict[str, Any]:
    data = request.data  # parses the body and with it the files
    if getattr(request, "upload_was_too_large", False):
        raise film_too_large()
    if len(request.FILES.getlist("file")) > 1:
        raise ValidationError({"file": "Send one film per request."})
    serializer = SubmissionSerializer(data=data)
    serializer.is_valid(raise_exception=True)
    fields: dict[str, Any] = serializer.validated_data
    return fields


def project_for(user: AnyUser, slug: str | None) -> Project:
    """Return the named project, or the one that is open to all, or the person's only one.

    Raises ValidationError where the name is unknown or missing, NotAllowed for a person without a project.
    """
    projects = Project.objects.visible_to(user)
    if slug is not None:
        named = projects.filter(slug=slug).first()
        if named is None:
            raise ValidationError({"project": "You have no project of this name."})
        return named
    candidates = list(projects.filter(open_to_all=True)[:2]) or list(projects[:2])
    if not candidates:
        raise NotAllowed("no_project", "You are not a member of any project. Ask an administrator.")
    if len(candidates) > 1:
        raise ValidationError({"project": "You work in several projects: say which one gets this film."})
    return candidates[0]
