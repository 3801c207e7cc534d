"""Reports as PDF files: of one film, of one project."""

from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.reauthentication import recently_authenticated
from core.errors import Refused
from core.web import attachment, signed_in
from diagnosis.models import Prediction, Project, Study, newest_prediction
from diagnosis.results import wording
from diagnosis.studies.blinding import shown_result
from diagnosis.views.films import film_or_404
from insight.exports.http import PDF
from insight.views.exports import refused

if TYPE_CHECKING:
    from insight.reports.film import ResultWords


@login_required
@require_GET
def study_pdf(request: HttpRequest, uid: object) -> HttpResponseBase:
    """Send the report of one film, without what is withheld from the person."""
    from insight.reports.film import (
        study_report,  # reportlab: memory that a process without reports never needs
    )

    study = film_or_404(request, uid)
    report = study_report(
        actor=signed_in(request),
        study=study,
        words_of=_words_of(study),
        address=request.build_absolute_uri(study.get_absolute_url()),
        at=timezone.now(),
    )
    return attachment([report], PDF, f"{study.reference}-report.pdf")


def _words_of(study: Study) -> "ResultWords":
    from insight.reports.film import ResultWords

    prediction = shown_result(study)
    if prediction is None:
        return ResultWords(state=_state_of(study))
    said, map_ = wording.verdict(prediction), wording.describe_map(prediction)
    scope, map_caution = wording.scope_caution(prediction), wording.map_caution(prediction)
    return ResultWords(
        headline=said.headline,
        sentence=said.sentence,
        map_sentence=map_.sentence,
        scope_sentences=scope.sentences,
        map_cautions=map_caution.sentences,
        scope_checked=scope.checked,
        map_checked=map_caution.checked,
    )


def _state_of(study: Study) -> str:
    newest = newest_prediction(study)
    if newest is None:
        return _("No model has read this film.")
    if newest.status == Prediction.Status.FAILED:
        return wording.failure_sentence(newest)
    if newest.status != Prediction.Status.SUCCEEDED:
        return _("The film waits for the AI to read it. Make the report again later.")
    return _("This project hides the AI result from you until you have signed your own read of the film.")


@login_required
@recently_authenticated
@require_GET
def project_pdf(request: HttpRequest, slug: str) -> HttpResponse | HttpResponseBase:
    """Send the report of one project to readers, auditors and administrators who may see it."""
    from insight.reports.project import project_report

    project = get_object_or_404(Project.objects.visible_to(request.user), slug=slug)
    try:
        report = project_report(
            actor=signed_in(request),
            project=project,
            address=request.build_absolute_uri(reverse("project", kwargs={"slug": project.slug})),
            at=timezone.now(),
        )
    except Refused as refusal:
        return refused(request, refusal)
    return attachment([report], PDF, f"pneumoweb-project-{project.slug}.pdf")
