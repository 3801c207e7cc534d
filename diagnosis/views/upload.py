"""The upload page: one or many files or a URL, each with its own outcome; HTML or JSON."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.roles import may_upload, require
from core.errors import NotAllowed, Refused
from core.http_status import status_of
from core.users import AnyUser
from core.web import signed_in
from diagnosis.forms import UploadForm
from diagnosis.intake.submission import submit_study
from diagnosis.intake.upload_handlers import film_too_large
from diagnosis.models import Project, Study
from diagnosis.studies.blinding import as_seen_by

UPLOADED, DUPLICATE, REFUSED = "uploaded", "duplicate", "refused"


@dataclass(frozen=True)
class Outcome:
    """The outcome of one file, shown as a row. `name` is shown to its sender and not stored."""

    kind: str
    name: str
    message: str
    http_status: int
    code: str = ""
    study: Study | None = None


@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """Show the form; on POST submit each film, independently of the others, and show its outcome."""
    if not request.user.is_authenticated:
        return sign_in_first(request)
    user = signed_in(request)
    try:
        check_may_upload(user)
    except NotAllowed as refusal:
        return _answer(request, [_refused("", refusal)], form=None)
    if request.method == "GET":
        return _page(request, UploadForm(user=user, initial=_initial(user)), [], 200)
    form = UploadForm(request.POST, request.FILES, user=user)
    valid = form.is_valid()
    outcomes = [_refused(_("A file that is too large"), film_too_large())] if was_cut_off(request) else []
    if valid:
        outcomes = _submit_all(user, form) + outcomes
    elif not outcomes:
        outcomes = _form_refusals(form) if wants_json(request) else []
    return _answer(request, outcomes, form=form)


def check_may_upload(user: AnyUser) -> None:
    """Raise NotAllowed for whoever may not upload films into any project."""
    require(
        user,
        may_upload,
        _("Your account may not upload films. Ask an administrator for the role of an uploader."),
    )


def _submit_all(user: User, form: UploadForm) -> list[Outcome]:
    project: Project = form.cleaned_data["project"]
    of_film = {
        "project": project,
        "site": form.cleaned_data.get("site"),
        "subject_code": form.cleaned_data["subject_code"],
    }
    outcomes = [_submit_file(user, of_film, file) for file in form.cleaned_data["file"]]
    if url := form.cleaned_data["url"]:
        outcomes.append(_submit(user, of_film, name=_("The film at the URL"), url=url))
    return outcomes


def _submit_file(user: User, of_film: dict[str, Any], file: "UploadedFile[bytes]") -> Outcome:
    return _submit(user, of_film, name=file.name or _("Film"), data=file.read())


def _submit(
    user: User, of_film: dict[str, Any], *, name: str, data: bytes | None = None, url: str | None = None
) -> Outcome:
    try:
        done = submit_study(actor=user, data=data, url=url, **of_film)
    except Refused as refusal:
        return _refused(name, refusal)
    if done.created:
        return Outcome(
            UPLOADED,
            name,
            _("Uploaded as %(reference)s.") % {"reference": done.study.reference},
            201,
            study=done.study,
        )
    message = _("Already here as %(reference)s; it was not stored or read again.")
    message %= {"reference": done.study.reference}
    return Outcome(DUPLICATE, name, message, 200, study=as_seen_by(user, done.study))


def _refused(name: str, refusal: Refused) -> Outcome:
    return Outcome(REFUSED, name, refusal.message, status_of(refusal), code=refusal.code)


def was_cut_off(request: HttpRequest) -> bool:
    """Return whether a file was too large to be read to its end."""
    return bool(getattr(request, "upload_was_too_large", False))


def _form_refusals(form: UploadForm) -> list[Outcome]:
    return [
        Outcome(REFUSED, "", str(error), 400, code=f"{field}_invalid")
        for field, errors in form.errors.items()
        for error in errors
    ]


def _initial(user: User) -> dict[str, object]:
    """Preselect project and site of the person's last film, else the first project."""
    last = Study.objects.visible_to(user).filter(uploaded_by=user).values("project", "site").first()
    return dict(last) if last else {}


def wants_json(request: HttpRequest) -> bool:
    """Return whether a page's script sent the request and expects JSON."""
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def sign_in_first(request: HttpRequest) -> HttpResponse:
    """Redirect a browser to the sign-in page; answer a script with 401."""
    if not wants_json(request):
        return redirect_to_login(request.get_full_path())
    message = _("You were signed out. Sign in in another tab, then try again.")
    return _json(Outcome(REFUSED, "", message, 401, code="signed_out"))


def _answer(request: HttpRequest, outcomes: list[Outcome], *, form: UploadForm | None) -> HttpResponse:
    if wants_json(request):
        return _json(outcomes[0])
    worked = [outcome for outcome in outcomes if outcome.kind != REFUSED]
    status = 200 if worked else outcomes[0].http_status if outcomes else 400
    return _page(request, form, outcomes, status)


def _json(outcome: Outcome) -> JsonResponse:
    """Answer for one file; the page's script sends each file in a request of its own."""
    body = {
        "outcome": outcome.kind,
        "message": outcome.message,
        "code": outcome.code,
        "disclaimer": settings.DISCLAIMER,
    }
    if outcome.study is not None:
        body |= {
            "reference": outcome.study.reference,
            "url": outcome.study.get_absolute_url(),
            "state_html": render_to_string("partials/film_state.html", {"study": outcome.study}),
        }
    return JsonResponse(body, status=outcome.http_status)


def _page(
    request: HttpRequest, form: UploadForm | None, outcomes: list[Outcome], status: int
) -> HttpResponse:
    context = {
        "form": form,
        "outcomes": outcomes,
        "url_intake": settings.URL_INTAKE,
        "max_megabytes": settings.MAX_UPLOAD_BYTES // (1024 * 1024),
        "max_bytes": settings.MAX_UPLOAD_BYTES,
        "max_files": settings.MAX_FILES_PER_UPLOAD,
        "has_project": form is not None and form.fields["project"].queryset.exists(),  # type: ignore[attr-defined]
    }
    return render(request, "diagnosis/upload.html", context, status=status)
