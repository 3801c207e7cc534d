"""The report of a project as PDF: counts, progress, agreement and its newest films."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Min
from django.utils import timezone
from django.utils.translation import gettext as _
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Table

from audit import trail
from diagnosis.models import AI_SHOWN, ModelVersion, Prediction, Project, Study, StudyQuerySet
from diagnosis.studies import search
from diagnosis.studies.blinding import shown_prediction
from insight.exports.service import check_may_export, person_name, software
from insight.reports import layout as pdf
from insight.statistics import formatting
from insight.statistics.accuracy import confusion_matrix
from insight.statistics.agreement import reader_and_ai, reader_and_reader
from insight.statistics.figure import Figure
from insight.statistics.period import Period
from insight.statistics.progress import Progress, ReaderProgress, detail_of
from insight.statistics.selection import Selection
from insight.statistics.signed_reads import signed_reads
from reading.models import Review, others_withheld
from reading.models.opinions import with_opinions

FILMS_SHOWN = 200
Outcome = Prediction.Outcome


def project_report(*, actor: User, project: Project, address: str, at: datetime) -> bytes:
    """Return the report of a project from `visible_to(actor)` as a PDF file, and record it in the trail.

    `address` is the absolute URL of the project's page, `at` the time of the report. Films whose result or
    reads are withheld from `actor` count only where that discloses nothing. Raises NotAllowed.
    """
    check_may_export(actor)
    films = with_opinions(Study.objects.visible_to(actor).filter(project=project), actor)
    progress, readers = detail_of(project)
    version = ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE).first()
    parts = [
        *_head(project, address, at),
        *_progress(progress, readers),
        *_results(films, version),
        *_agreement(Selection(actor, _whole(films, at), project, version)),
        *_films(actor, films, progress.films),
    ]
    report = pdf.document(_("Report on project %(name)s") % {"name": project.name}, parts)
    trail.record(actor=actor, verb="report_made", target=project, films=progress.films)
    return report


def _head(project: Project, address: str, at: datetime) -> Iterator[Flowable]:
    hides = project.ai_visibility == Project.AiVisibility.HIDDEN
    blinding = _("hidden from readers until they have signed") if hides else _("shown from the start")
    about = [
        (_("Begun"), pdf.moment(project.created_at)),
        (_("AI result"), blinding),
        (_("Report made"), f"{pdf.moment(at)}, {software()}"),
    ]
    width = pdf.WIDTH - 32 * mm
    title = pdf.text(_("Project %(name)s") % {"name": project.name}, "title")
    rows: list[list[Flowable]] = [[title], [pdf.text(project.description)], [pdf.facts(about, width=width)]]
    left = Table(rows, colWidths=[width], style=[("LEFTPADDING", (0, 0), (-1, -1), 0)])
    yield pdf.side_by_side(left, pdf.qr_code(address), left_width=width + 4 * mm)
    yield pdf.text(address, "small", link=address)


def _progress(progress: Progress, found: Sequence[ReaderProgress]) -> Iterator[Flowable]:
    yield pdf.text(_("Progress"), "heading")
    yield pdf.facts(
        [
            (_("Films"), formatting.count(progress.films)),
            (_("With an AI result"), formatting.count(progress.ready)),
            (_("Waiting"), formatting.count(progress.waiting)),
            (_("Failed"), formatting.count(progress.failed)),
            (_("With a review"), formatting.count(progress.reviewed)),
            (_("With a signed read"), f"{formatting.count(progress.signed)} ({progress.signed_percent}%)"),
            (_("Upload to result, median"), _duration(progress.to_result)),
            (_("Upload to signature, median"), _duration(progress.to_signature)),
        ]
    )
    readers = [(reader.name, formatting.count(reader.signed)) for reader in found]
    if readers:
        yield pdf.gap()
        yield pdf.table([_("Reader"), _("Films signed")], readers, shares=[2, 1])


def _duration(seconds: float | None) -> str:
    return "–" if seconds is None else formatting.seconds(seconds)


def _results(films: StudyQuerySet, version: ModelVersion | None) -> Iterator[Flowable]:
    """Count results only where they are shown: a total over the others would disclose them."""
    yield pdf.text(_("AI results"), "heading")
    counts = [
        search.with_outcome(films, outcome).order_by().count()
        for outcome in (Outcome.PNEUMONIA, Outcome.NORMAL)
    ]
    withheld = films.exclude(AI_SHOWN).count()
    facts = [
        (Outcome.PNEUMONIA.label, formatting.count(counts[0])),
        (Outcome.NORMAL.label, formatting.count(counts[1])),
        (_("Active model"), version.version if version else _("none")),
    ]
    yield pdf.facts([(str(name), value) for name, value in facts])
    if withheld:
        yield pdf.text(
            _("%(n)s films are left out here and below: their AI result is hidden from you.")
            % {"n": formatting.count(withheld)}
        )


def _whole(films: StudyQuerySet, at: datetime) -> Period:
    """Return the weeks from the first film on."""
    first = films.order_by().aggregate(first=Min("created_at"))["first"] or at
    today, begun = timezone.localtime(at).date(), timezone.localtime(first).date()
    return Period.ending(today, max(1, (today - begun).days // 7 + 2))


def _agreement(selection: Selection) -> Iterator[Flowable]:
    reads = signed_reads(selection)
    for figure in (reader_and_ai(reads), reader_and_reader(reads), confusion_matrix(reads)):
        yield from _figure(figure)


def _figure(figure: Figure) -> Iterator[Flowable]:
    yield pdf.text(f"{figure.title} (n = {formatting.count(figure.n)} {figure.unit})", "heading")
    if figure.too_few:
        yield pdf.text(figure.too_few, bold=True)
    for sentence in figure.sentences:
        yield pdf.text(sentence)
    if figure.rows:
        rows = [[cell for cell, _is_text in row] for row in figure.written_rows]
        labels = [str(column.label) for column in figure.columns]
        yield pdf.table(labels, rows, shares=[2 if column.is_text else 1 for column in figure.columns])
    if figure.method:
        yield pdf.text(figure.method, "small")


def _films(actor: User, films: StudyQuerySet, total: int) -> Iterator[Flowable]:
    yield pdf.text(_("Films"), "heading")
    newest = list(search.for_display(films).order_by("-created_at", "-pk")[:FILMS_SHOWN])
    if total > len(newest):
        yield pdf.text(
            _("The newest %(shown)s of %(total)s films; an export holds all of them.")
            % {"shown": formatting.count(len(newest)), "total": formatting.count(total)}
        )
    if not newest:
        yield pdf.text(_("There are no films yet."))
        return
    reads = _reads_of(actor, newest)
    rows = [
        [
            study.reference,
            _subject_words(study),
            pdf.moment(study.created_at),
            _result_words(study),
            _reads_words(study, reads[study.pk]),
        ]
        for study in newest
    ]
    header = [_("Film"), _("Subject"), _("Taken in"), _("AI result"), _("Signed reads")]
    yield pdf.table(header, rows, shares=[1.1, 1.2, 1.9, 2, 2.4])


def _subject_words(study: Study) -> str:
    code = study.subject_code or study.pseudonym or "–"
    return f"{study.site.code} · {code}" if study.site else code


def _reads_of(actor: User, films: Sequence[Study]) -> dict[int, list[Review]]:
    shown = Review.objects.filter(study__in=[study.pk for study in films]).shown_to(actor)
    reads: dict[int, list[Review]] = defaultdict(list)
    for review in shown.reads().select_related("reader").order_by("pk"):
        reads[review.study_id].append(review)
    return reads


def _result_words(study: Study) -> str:
    if study.ai_hidden:
        return _("hidden")
    prediction = shown_prediction(study)
    if prediction is None:
        return "–"
    if prediction.calibrated_probability is None:
        return str(prediction.get_status_display())
    said = _("borderline") if prediction.is_borderline else str(prediction.get_outcome_display())
    return f"{formatting.share(prediction.calibrated_probability)} {said}"


def _reads_words(study: Study, reads: Sequence[Review]) -> str:
    said = [
        f"{person_name(read.reader_id, read.reader.get_username())}: {read.get_finding_display()}"
        for read in reads
    ]
    if others_withheld(study):
        said.append(_("others hidden"))
    return "; ".join(said) or "–"
