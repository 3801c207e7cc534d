"""Reports: what the PDF files of a film and of a project say, withhold and show of themselves."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from audit.models import AuditEvent
from diagnosis.models import Prediction, Project, Site, Study
from insight.reports.film import ResultWords, study_report
from insight.reports.layout import printable
from reading.models import Review
from reading.reviews.service import review_study
from tests.support.cast import Cast
from tests.support.second_factor import just_signed_in

DISCLAIMER = "Research and education only. Not for clinical use."
AT = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def read(user: User, study: Study, *, sign: bool = True, **changes: Any) -> Review:
    fields: dict[str, Any] = {"finding": "pneumonia", "confidence": 80, "agrees_with_ai": True, **changes}
    return review_study(actor=user, study=Study.objects.get(pk=study.pk), sign=sign, **fields)


def pdf_of(user: User, address: str) -> PdfReader:
    client = Client()
    just_signed_in(client, user)
    response = client.get(address)
    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
    return PdfReader(io.BytesIO(b"".join(response.streaming_content)))


def report_of(user: User, study: Study) -> PdfReader:
    return pdf_of(user, reverse("study-report", args=[study.uid]))


def words(pdf: PdfReader) -> str:
    """All text, with single spaces: where a line breaks is no matter."""
    return " ".join(" ".join(page.extract_text() for page in pdf.pages).split())


@pytest.fixture
def hidden(finished_study: Study, cast: Cast) -> Study:
    """A film whose project hides the AI result, with numbers that are found nowhere else."""
    Project.objects.filter(pk=cast.project.pk).update(ai_visibility=Project.AiVisibility.HIDDEN)
    Prediction.objects.update(calibrated_probability=0.7861, logit=1.5317, probability=0.8243)
    return Study.objects.get(pk=finished_study.pk)


def test_a_report_holds_result_meaning_model_and_signed_reads(finished_study: Study, cast: Cast) -> None:
    Prediction.objects.update(scope_flags=["not_a_chest"], map_flags=[])
    site = Site.objects.create(project=cast.project, code="BER", name="Berlin")
    Study.objects.update(site=site, subject_code="S-17")
    signed = read(cast.rania, finished_study, comment="Right lower zone")
    read(cast.rania, finished_study, finding="other", comment="Seen again")
    said = words(report_of(cast.rania, finished_study))
    for part in (
        f"Chest film {finished_study.reference}",
        "Site BER Berlin",
        "Above the operating point",
        "78.0% calibrated probability",
        "operating point 50.0%, borderline band 40.0% to 60.0%",
        "about 78.0% of those with this score",
        "test-model",
        "Outside what the model can judge?",
        "rania (read): Pneumonia, certainty 80 of 100; agrees with the AI",
        "Right lower zone",
        signed.digest()[:20],
        "rania (addendum): Other finding",
        "Seen again",
    ):
        assert part in said, part


def test_each_page_carries_the_disclaimer_and_the_file_tells_of_nobody(
    finished_study: Study, cast: Cast
) -> None:
    read(cast.rania, finished_study, comment="word " * 780)
    pdf = report_of(cast.rania, finished_study)
    pages = [page.extract_text() for page in pdf.pages]
    assert len(pages) > 1
    assert all(DISCLAIMER in page for page in pages)
    assert f"Page 2 of {len(pages)}" in pages[1]
    metadata = str(dict(pdf.metadata or {}))
    assert finished_study.reference in metadata
    assert not [name for name in ("rania", "alice", "Ward 7") if name in metadata]
    assert str(pdf.trailer["/Root"]["/Lang"]).startswith("en")


def test_every_font_is_embedded(finished_study: Study, cast: Cast) -> None:
    fonts = report_of(cast.rania, finished_study).pages[0]["/Resources"]["/Font"]
    used = [font.get_object() for font in fonts.values()]
    embedded = [font for font in used if "/FontFile2" in font.get("/FontDescriptor", {})]
    assert len(embedded) >= 2
    assert {str(font["/BaseFont"]) for font in used} - {str(font["/BaseFont"]) for font in embedded} <= {
        "/Helvetica"
    }, "reportlab names Helvetica on every page without using it"


def test_the_report_links_to_the_page_by_the_address_it_was_asked_at(
    finished_study: Study, cast: Cast
) -> None:
    pdf = report_of(cast.rania, finished_study)
    links = [note.get_object()["/A"]["/URI"] for note in pdf.pages[0]["/Annots"]]
    assert links == [f"http://testserver{finished_study.get_absolute_url()}"]


@pytest.mark.parametrize("kind", ["study", "project"])
def test_no_report_gives_a_hidden_result_away_before_ones_own_signature(
    hidden: Study, cast: Cast, rob: User, kind: str
) -> None:
    read(rob, hidden, agrees_with_ai=None, comment="robs words")
    address = reverse("study-report", args=[hidden.uid])
    if kind == "project":
        address = reverse("project-report", args=[cast.project.slug])
    before = pdf_of(cast.rania, address)
    tells = ("78.6", "1.53", "0.82", "operating point 50", "robs words", "rob: Pneumonia", "rob (read)")
    said = words(before)
    assert "hidden" in said
    assert not [tell for tell in tells if tell in said]
    assert sum(len(page.images) for page in before.pages) == (1 if kind == "study" else 0), "no overlay"
    read(cast.rania, hidden, agrees_with_ai=None)
    assert "78.6%" in words(pdf_of(cast.rania, address))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"status": "queued"}, "waits for the AI"),
        ({"status": "failed", "failure_code": "film_unreadable"}, "could not be read"),
    ],
)
def test_without_a_result_the_report_says_why(
    study: Study, cast: Cast, changes: dict[str, str], sentence: str
) -> None:
    Prediction.objects.update(**changes)
    pdf = report_of(cast.rania, study)
    assert sentence in words(pdf)
    assert len(pdf.pages[0].images) == 1, "the film alone"


def test_a_film_that_is_lost_still_has_a_report(finished_study: Study, cast: Cast) -> None:
    finished_study.display.storage.delete(finished_study.display.name)
    assert "could not be opened" in words(report_of(cast.rania, finished_study))


def test_letters_of_other_scripts_are_printed_and_unknown_ones_named(
    finished_study: Study, cast: Cast
) -> None:
    read(cast.rania, finished_study, comment="Übergröße, Łódź, Ελλάδα, Київ <b>&amp;")
    said = words(report_of(cast.rania, finished_study))
    assert "Übergröße, Łódź, Ελλάδα, Київ <b>&amp;" in said
    assert printable("中\x00a") == "[U+4E2D]a"


def test_the_same_report_is_the_same_file(finished_study: Study, cast: Cast) -> None:
    study = Study.objects.visible_to(cast.rania).get(pk=finished_study.pk)
    made = [
        study_report(
            actor=cast.rania,
            study=study,
            words_of=ResultWords(headline="x"),
            address="https://x.test/",
            at=AT,
        )
        for _time in range(2)
    ]
    assert made[0] == made[1]


def test_a_projects_report_counts_films_reads_and_agreement(
    finished_study: Study, cast: Cast, rob: User
) -> None:
    site = Site.objects.create(project=cast.project, code="BER", name="Berlin")
    Study.objects.update(site=site, subject_code="S-17")
    read(cast.rania, finished_study)
    read(rob, finished_study, finding="normal", agrees_with_ai=False)
    said = words(pdf_of(cast.aude, reverse("project-report", args=[cast.project.slug])))
    for part in (
        "Project Ward 7",
        "Films 1",
        "BER · S-17",
        "rania 1",
        "78.0% Above",
        "rania: Pneumonia; rob: Normal",
    ):
        assert part in said, part
    assert DISCLAIMER in said


def test_reports_are_recorded(finished_study: Study, cast: Cast) -> None:
    report_of(cast.rania, finished_study)
    pdf_of(cast.aude, reverse("project-report", args=[cast.project.slug]))
    events = AuditEvent.objects.filter(verb="report_made").order_by("seq")
    assert [(event.actor_name, event.object_type) for event in events] == [
        ("rania", "study"),
        ("aude", "project"),
    ]
