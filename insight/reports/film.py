"""The report of a film as PDF: film, overlay, AI result in words, reads with signatures."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from PIL import Image
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Table

from audit import trail
from core.errors import Refused
from diagnosis.models import Prediction, Study
from diagnosis.results.rendering import OVERLAY, render_picture
from diagnosis.studies.blinding import shown_result
from insight.exports.service import person_name, software
from insight.reports import layout as pdf
from insight.statistics import formatting
from reading.models import Adjudication, Review
from reading.models.opinions import opinions_hidden

PICTURE_SIDE = 1000  # pixels: about 300 a inch on paper
_BOX = (pdf.WIDTH / 2 - 2 * mm, 92 * mm)


@dataclass(frozen=True)
class ResultWords:
    """The pages' sentences about a result in the person's language; empty where there are none.

    `state` replaces them where there is no result (waiting, failed, withheld).
    """

    state: str = ""
    headline: str = ""
    sentence: str = ""
    map_sentence: str = ""
    scope_sentences: Sequence[str] = ()
    map_cautions: Sequence[str] = ()
    scope_checked: bool = False
    map_checked: bool = False


def study_report(*, actor: User, study: Study, words_of: ResultWords, address: str, at: datetime) -> bytes:
    """Return the report of a film from `visible_to(actor)` as a PDF file, and record it in the trail.

    `address` is the absolute URL of the film's page, `at` the time of the report. What is withheld from
    `actor` is left out.
    """
    prediction = shown_result(study)
    parts = [
        *_head(study, address, at),
        *_pictures(study, prediction),
        *_result(prediction, words_of),
        *_reads(actor, study),
    ]
    report = pdf.document(_("Report on film %(reference)s") % {"reference": study.reference}, parts)
    trail.record(
        actor=actor,
        verb="report_made",
        target=study,
        model_version=prediction.model_version.version if prediction else None,
    )
    return report


def _head(study: Study, address: str, at: datetime) -> Iterator[Flowable]:
    width = pdf.WIDTH - 32 * mm
    about = [
        (_("Project"), study.project.name),
        *([(_("Site"), str(study.site))] if study.site else []),
        (_("Subject"), study.subject_code or study.pseudonym or _("no code")),
        (_("Taken in"), pdf.moment(study.created_at)),
        (_("Film"), _formatting(study)),
        (_("SHA-256 of the file"), study.sha256),
        (_("Report made"), f"{pdf.moment(at)}, {software()}"),
    ]
    title = pdf.text(_("Chest film %(reference)s") % {"reference": study.reference}, "title")
    left = Table([[title], [pdf.facts(about, width=width, names=36 * mm)]], colWidths=[width], style=_FLUSH)
    yield pdf.side_by_side(left, pdf.qr_code(address), left_width=width + 4 * mm)
    yield pdf.text(address, "small", link=address)
    yield pdf.gap(2)


_FLUSH = [("LEFTPADDING", (0, 0), (-1, -1), 0), ("TOPPADDING", (0, 0), (-1, -1), 0)]


def _formatting(study: Study) -> str:
    size = _("%(width)d × %(height)d pixels, %(bits)d bits") % {
        "width": study.width,
        "height": study.height,
        "bits": study.bit_depth,
    }
    known = [study.media_format, study.modality, study.view_position, study.laterality, size, study.sex]
    if study.age_years is not None:
        known.append(_("%(age)d years") % {"age": study.age_years})
    return ", ".join(filter(None, known))


def _pictures(study: Study, prediction: Prediction | None) -> Iterator[Flowable]:
    try:
        drawn = [_captioned(_film_picture(study), _("The film (grey copy)"))]
        if prediction is not None:
            overlay = _for_paper(render_picture(prediction=prediction, kind=OVERLAY))
            drawn.append(_captioned(overlay, _("Regions that raised the score (Grad-CAM)")))
    except (OSError, Refused):
        yield pdf.text(
            _("The stored film could not be opened, so there is no picture. Tell an administrator.")
        )
        return
    cells = [*drawn, ""][:2]
    yield Table([cells], colWidths=[pdf.WIDTH / 2] * 2, style=[*_FLUSH, ("VALIGN", (0, 0), (-1, -1), "TOP")])


def _captioned(picture: bytes, caption: str) -> list[Flowable]:
    return [pdf.picture(picture, width=_BOX[0], height=_BOX[1]), pdf.text(caption, "small")]


def _film_picture(study: Study) -> bytes:
    with study.display.open("rb") as file:
        return _for_paper(file.read())


def _for_paper(picture: bytes) -> bytes:
    """Return a PNG made by this program as a smaller JPEG."""
    small = io.BytesIO()
    with Image.open(io.BytesIO(picture), formats=["PNG", "JPEG"]) as image:
        image.thumbnail((PICTURE_SIDE, PICTURE_SIDE * 2))
        image.convert("L" if image.mode.startswith(("L", "I", "1")) else "RGB").save(
            small, "JPEG", quality=92
        )
    return small.getvalue()


def _result(prediction: Prediction | None, said: ResultWords) -> Iterator[Flowable]:
    yield pdf.text(_("AI result"), "heading")
    if prediction is None:
        yield pdf.text(said.state or _("There is no AI result."))
        return
    yield pdf.text(said.headline, "strong")
    yield pdf.text(said.sentence)
    for sentence in said.scope_sentences:
        yield pdf.text(
            _("Outside what the model can judge? %(sentence)s") % {"sentence": sentence}, bold=True
        )
    yield _bar(prediction)
    yield pdf.text(_meaning(prediction))
    yield pdf.gap(1)
    yield pdf.facts(_numbers(prediction, said))
    for sentence in said.map_cautions:
        yield pdf.text(_("Unreliable map. %(sentence)s") % {"sentence": sentence}, bold=True)


def _bar(prediction: Prediction) -> Flowable:
    model, score = prediction.model_version, prediction.calibrated_probability or 0.0
    marks = {
        "threshold": formatting.share(model.threshold),
        "low": formatting.share(model.borderline_low),
        "high": formatting.share(model.borderline_high),
    }
    return pdf.score_bar(
        score=100 * score,
        threshold=100 * model.threshold,
        low=100 * model.borderline_low,
        high=100 * model.borderline_high,
        labels=[
            _("%(score)s calibrated probability") % {"score": formatting.share(score)},
            _("operating point %(threshold)s, borderline band %(low)s to %(high)s") % marks,
        ],
    )


def _meaning(prediction: Prediction) -> str:
    share = formatting.share(prediction.calibrated_probability or 0.0)
    return _(
        "Calibrated: of films like those that the model was calibrated on, about %(share)s of those with "
        "this score are labelled pneumonia. Where films differ from those, or pneumonia is rarer or more "
        "common, the true share is another."
    ) % {"share": share}


def _numbers(prediction: Prediction, said: ResultWords) -> list[tuple[str, str]]:
    not_checked = _("not checked by this model version")
    scope = _("nothing found") if not said.scope_sentences else _("see above")
    map_ = _("nothing found") if not said.map_cautions else _("see below")
    return [
        (_("Model"), prediction.model_version.version),
        (_("SHA-256 of its weights"), prediction.model_version.weights_sha256),
        (_("Read"), pdf.moment(prediction.finished_at) if prediction.finished_at else "–"),
        (_("Raw score"), formatting.number(prediction.probability or 0.0, 4)),
        (_("Logit"), formatting.number(prediction.logit or 0.0, 4)),
        (_("Scope check"), scope if said.scope_checked else not_checked),
        (_("Map"), said.map_sentence),
        (_("Map check"), map_ if said.map_checked else not_checked),
    ]


def _reads(actor: User, study: Study) -> Iterator[Flowable]:
    yield pdf.text(_("Reads"), "heading")
    withheld = opinions_hidden(actor, study)
    if withheld:
        yield pdf.text(_("Other readers' reads are hidden from you until you have signed your own."))
    visible = Review.objects.visible_to(actor).filter(study=study)
    reviews = list(visible.select_related("study", "prediction", "reader", "addendum_to").order_by("pk"))
    shown = [review for review in reviews if review.is_signed or review.is_current]
    if not shown:
        yield pdf.text(_("No read to show."))
    for review in shown:
        yield from _one_read(review)
    decision = None if withheld else study.adjudications.select_related("adjudicator").first()
    if decision is not None:
        yield from _decision(decision)


def _decision(decision: Adjudication) -> Iterator[Flowable]:
    who = person_name(decision.adjudicator_id, decision.adjudicator.get_username())
    yield pdf.text(_("Adjudication"), "heading")
    yield pdf.text(f"{who}: {decision.get_finding_display()}", "strong")
    yield pdf.text(f"{pdf.moment(decision.decided_at)}. {decision.get_basis_display()}.", "small")
    yield pdf.text(decision.rationale)


def _one_read(review: Review) -> Iterator[Flowable]:
    """Yield a read in parts, so that a long comment may break across pages."""
    reader = person_name(review.reader_id, review.reader.get_username())
    kind = _("addendum") if review.addendum_to_id else _("read")
    said = _("%(finding)s, certainty %(certainty)d of 100") % {
        "finding": review.get_finding_display(),
        "certainty": review.confidence,
    }
    if not review.ai_hidden and review.agrees_with_ai is not None:
        said += "; " + (_("agrees with the AI") if review.agrees_with_ai else _("disagrees with the AI"))
    yield pdf.text(f"{reader} ({kind}): {said}", "strong")
    yield pdf.text(_signature(review), "small")
    if review.region is not None:
        yield pdf.text(_region_words(review), "small")
    if review.comment:
        yield pdf.text(review.comment)


def _signature(review: Review) -> str:
    if review.signed_at is None:
        return _("Draft of %(moment)s: not signed, may change.") % {"moment": pdf.moment(review.created_at)}
    signed = {"moment": pdf.moment(review.signed_at)}
    if review.ai_hidden:
        return _("Signed %(moment)s.") % signed
    return _("Signed %(moment)s. SHA-256 %(digest)s") % {**signed, "digest": review.digest()}


def _region_words(review: Review) -> str:
    region = review.region
    if region is None:
        return ""
    return _(
        "Region: %(width)s × %(height)s of the film, from %(x)s of its width and %(y)s of its height."
    ) % {
        "width": formatting.share(region.width, 0),
        "height": formatting.share(region.height, 0),
        "x": formatting.share(region.x, 0),
        "y": formatting.share(region.y, 0),
    }
