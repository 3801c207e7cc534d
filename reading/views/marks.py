"""Tags and notes of one film, as a partial or a page; the tags of a project."""

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.roles import may_administer
from core.errors import Refused
from core.web import live_partial, signed_in
from diagnosis.models import Project, Study
from diagnosis.views.films import film_or_404, refused
from reading.marks import MarkRefused, make_tag, may_mark, remove_tag, tag_film, untag_film, write_note
from reading.models import FilmTag, Note, Tag


@login_required
@live_partial
@never_cache
@require_http_methods(["GET", "POST"])
def study_marks(request: HttpRequest, uid: object) -> HttpResponseBase:
    """Show what the person may see of a film's tags and notes; tag, untag or write one by POST."""
    study = film_or_404(request, uid)
    if request.method == "GET":
        return _marks(request, study)
    try:
        _change(request, study)
    except MarkRefused as refusal:
        return _marks(request, study, mistake=refusal.message, status=422)
    except Refused as refusal:
        return refused(request, refusal, study=study)
    return _marks(request, study) if _is_htmx(request) else redirect("study-marks", uid=study.uid)


def _change(request: HttpRequest, study: Study) -> None:
    actor, action = signed_in(request), request.POST.get("action", "")
    if action == "note":
        write_note(actor=actor, study=study, text=request.POST.get("text", "").replace("\x00", ""))
        return
    number = request.POST.get("tag", "")
    is_number = number.isascii() and number.isdecimal() and len(number) < 16
    tag = Tag.objects.filter(project=study.project, pk=int(number)).first() if is_number else None
    change = {"tag": tag_film, "untag": untag_film}.get(action)
    if tag is None or change is None:
        raise MarkRefused("tag_invalid", _("Choose a tag of the film's project."))
    change(actor=actor, study=study, tag=tag)


def _marks(request: HttpRequest, study: Study, *, mistake: str = "", status: int = 200) -> HttpResponse:
    put: Any = FilmTag.objects.filter(study=study).visible_to(request.user).select_related("tag", "author")
    notes: Any = Note.objects.filter(study=study).visible_to(request.user).select_related("author")
    tags: dict[Tag, list[FilmTag]] = {}
    for film_tag in put:
        tags.setdefault(film_tag.tag, []).append(film_tag)
    everything = may_administer(request.user)
    own = {one.tag_id for one in put if everything or one.author_id == request.user.pk}
    context = {
        "study": study,
        "tags": tags.items(),
        "own": own,
        "notes": notes,
        "choices": [tag for tag in Tag.objects.filter(project=study.project) if tag not in tags],
        "may_mark": may_mark(request.user),
        "mistake": mistake,
        "text": request.POST.get("text", "") if mistake else "",
    }
    template = "reading/marks.html" if _is_htmx(request) else "reading/marks_page.html"
    return render(request, template, context, status=status)


def _is_htmx(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))


class TagForm(forms.ModelForm):  # type: ignore[type-arg]  # no generic when it runs
    """A new tag of a project."""

    class Meta:
        model = Tag
        fields = ["name", "colour", "before_reading"]
        widgets = {
            "name": forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
            "colour": forms.Select(attrs={"class": "form-select"}),
        }


@login_required
@require_http_methods(["GET", "POST"])
def project_tags(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a project's tags to an administrator; add one by POST."""
    project = _project_or_404(request, slug)
    form = TagForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            make_tag(actor=signed_in(request), project=project, **form.cleaned_data)
        except Refused as refusal:
            form.add_error("name", refusal.message)
        else:
            return redirect("project-tags", slug=project.slug)
    context = {"project": project, "tags": Tag.objects.filter(project=project), "form": form}
    return render(request, "reading/tags.html", context, status=400 if form.errors else 200)


@login_required
@require_POST
def project_tag_remove(request: HttpRequest, slug: str, tag: int) -> HttpResponse:
    """Remove a tag from a project and its films."""
    project = _project_or_404(request, slug)
    remove_tag(actor=signed_in(request), tag=get_object_or_404(Tag, project=project, pk=tag))
    return redirect("project-tags", slug=project.slug)


def _project_or_404(request: HttpRequest, slug: str) -> Project:
    if not may_administer(request.user):
        raise PermissionDenied
    return get_object_or_404(Project.objects.visible_to(request.user), slug=slug)
