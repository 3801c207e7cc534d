"""Exports: what a row says, what is withheld, what a spreadsheet must not run, what is recorded."""

import csv
import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from audit.models import AuditEvent
from core.errors import NotAllowed
from diagnosis.models import ModelVersion, Prediction, Project, Study
from insight.exports import files
from insight.exports import service as exports
from insight.exports.columns import NAMES
from insight.exports.service import Export, begin_export, person_code
from reading.marks import make_tag, tag_film, write_note
from reading.models import Adjudication, ReadingSettings, Review
from reading.reviews.service import review_study
from tests.reading.views.test_history import predict, put_in
from tests.support.cast import Cast
from tests.support.second_factor import just_signed_in

AT = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def client_of(user: User) -> Client:
    client = Client()
    just_signed_in(client, user)
    return client


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def rows_of(user: User, **query: object) -> list[dict[str, str]]:
    """The CSV as the person gets it, read by the standard library."""
    response = client_of(user).get(reverse("export-csv"), query)
    assert response.status_code == 200
    return list(csv.DictReader(io.StringIO(body(response).decode(), newline="")))


def read(user: User, study: Study, *, sign: bool = True, **changes: Any) -> Review:
    fields: dict[str, Any] = {"finding": "pneumonia", "confidence": 80, "agrees_with_ai": True, **changes}
    return review_study(actor=user, study=Study.objects.get(pk=study.pk), sign=sign, **fields)


@pytest.fixture
def hidden(finished_study: Study, cast: Cast) -> Study:
    """A film whose project hides the AI result, read and signed by nobody yet."""
    Project.objects.filter(pk=cast.project.pk).update(ai_visibility=Project.AiVisibility.HIDDEN)
    return Study.objects.get(pk=finished_study.pk)


def test_a_row_holds_film_result_and_read_unrounded_and_in_utc(finished_study: Study, cast: Cast) -> None:
    Study.objects.filter(pk=finished_study.pk).update(created_at=AT, subject_code="S-017")
    Prediction.objects.update(calibrated_probability=0.1 + 0.2, scope_flags=[], map_flags=None, logit=-1.5)
    read(cast.rania, finished_study, comment="Right lower zone,\nfaint")
    (row,) = rows_of(cast.aude)
    expected = {
        "project": "ward-7",
        "study_id": str(finished_study.uid),
        "study_reference": finished_study.reference,
        "subject_code": "S-017",
        "uploaded_at": "2026-03-10T12:00:00Z",
        "uploaded_by": "alice",
        "sha256": finished_study.sha256,
        "spacing_at_detector": "false",
        "age_years": "",
        "ai_withheld": "false",
        "ai_runs": "1",
        "ai_status": "succeeded",
        "ai_model_version": "test-model",
        "ai_threshold": "0.5",
        "ai_logit": "-1.5",
        "ai_calibrated_probability": "0.30000000000000004",
        "ai_outcome": "pneumonia",
        "ai_borderline": "false",
        "ai_scope_flags": "none",
        "ai_map_flags": "",
        "reader": "rania",
        "read_status": "signed",
        "read_finding": "pneumonia",
        "read_confidence": "80",
        "read_after_ai": "true",
        "read_agrees_with_ai": "true",
        "read_comment": "Right lower zone,\nfaint",
        "addenda": "0",
    }
    assert {name: row[name] for name in expected} == expected
    assert tuple(row) == NAMES
    assert row["read_signed_at"].endswith("Z")


def test_a_film_without_reads_has_a_row_and_each_reader_has_their_own(
    finished_study: Study, cast: Cast, rob: User
) -> None:
    assert [row["reader"] for row in rows_of(cast.aude)] == [""]
    first = read(cast.rania, finished_study)
    read(cast.rania, finished_study, sign=False, finding="other", comment="Seen again")
    read(rob, finished_study, sign=False, finding="normal", agrees_with_ai=False)
    by_reader = {row["reader"]: row for row in rows_of(cast.aude)}
    assert set(by_reader) == {"rania", "rob"}
    rania, drafted = by_reader["rania"], by_reader["rob"]
    assert (rania["read_id"], rania["read_finding"]) == (str(first.uid), "pneumonia")
    assert rania["addenda"] == "0", "an addendum that is not signed does not count"
    assert drafted["read_status"] == "draft"


def test_the_newest_signed_addendum_stands_beside_the_read(finished_study: Study, cast: Cast) -> None:
    read(cast.rania, finished_study)
    for finding in ("other", "normal"):
        read(cast.rania, finished_study, finding=finding, agrees_with_ai=False, comment=finding)
    (row,) = rows_of(cast.aude)
    assert (row["read_finding"], row["addenda"], row["addendum_finding"]) == ("pneumonia", "2", "normal")


@pytest.mark.parametrize("signed", [False, True])
def test_before_their_own_signature_a_reader_gets_no_ai_column_and_no_other_read(
    hidden: Study, cast: Cast, rob: User, signed: bool
) -> None:
    read(rob, hidden, agrees_with_ai=None, comment="robs words")
    if signed:
        read(cast.rania, hidden, agrees_with_ai=None)
    rows = rows_of(cast.rania)
    seen = {name for row in rows for name, value in row.items() if name.startswith("ai_") and value}
    if signed:
        assert {"ai_calibrated_probability", "ai_outcome"} <= seen
        assert {row["reader"] for row in rows} == {"rania", "rob"}
    else:
        assert seen == {"ai_withheld"}
        assert [(row["ai_withheld"], row["reader"], row["read_finding"]) for row in rows] == [
            ("true", "", "")
        ]
        assert "robs words" not in str(rows)


def test_ones_own_older_agreement_is_withheld_with_the_result(finished_study: Study, cast: Cast) -> None:
    read(cast.rania, finished_study, sign=False)
    Project.objects.update(ai_visibility=Project.AiVisibility.HIDDEN)
    (row,) = rows_of(cast.rania)
    assert (row["reader"], row["read_agrees_with_ai"], row["read_after_ai"]) == ("rania", "", "")


def test_reads_that_are_blind_to_each_other_are_withheld_though_the_ai_result_is_shown(
    finished_study: Study, cast: Cast, rob: User
) -> None:
    ReadingSettings.objects.update_or_create(project=cast.project, defaults={"reads_blind": True})
    read(rob, finished_study, comment="robs words")
    (row,) = rows_of(cast.rania)
    assert (row["reads_withheld"], row["reader"], row["ai_outcome"]) == ("true", "", "pneumonia")
    read(cast.rania, finished_study)
    assert {row["reader"] for row in rows_of(cast.rania)} == {"rania", "rob"}


def test_an_adjudication_stands_beside_the_reads_and_is_withheld_with_them(
    hidden: Study, cast: Cast, rob: User
) -> None:
    for finding in ("normal", "other"):
        Adjudication.objects.create(
            study=hidden, adjudicator=rob, basis="consensus", finding=finding, rationale="Agreed"
        )
    decided = ("adjudicated_finding", "adjudicator", "adjudication_rationale")
    assert [[row[name] for name in decided] for row in rows_of(cast.aude)] == [["other", "rob", "Agreed"]]
    assert [[row[name] for name in decided] for row in rows_of(cast.rania)] == [["", "", ""]]


@pytest.mark.parametrize("kind", ["csv", "xlsx", "zip"])
def test_no_kind_of_export_gives_a_hidden_result_away(
    hidden: Study, cast: Cast, rob: User, kind: str
) -> None:
    Prediction.objects.update(calibrated_probability=0.7861, logit=1.5317)
    read(rob, hidden, agrees_with_ai=None, comment="robs words")
    pictures = {"pictures": ["overlay"]}
    given = body(client_of(cast.rania).get(reverse(f"export-{kind}"), pictures))
    unpacked = given
    if kind != "csv":
        with zipfile.ZipFile(io.BytesIO(given)) as archive:
            assert not [name for name in archive.namelist() if "overlay" in name]
            unpacked = b"".join(archive.read(name) for name in archive.namelist())
    assert hidden.reference.encode() in unpacked
    assert not [tell for tell in (b"0.7861", b"1.5317", b"robs words", b"rob,") if tell in unpacked]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", " =", "＝"])
def test_text_that_a_spreadsheet_would_run_is_disarmed(start: str) -> None:
    text = f"{start}HYPERLINK(1)"
    assert files.as_text(text) == f"'{text}"
    assert files.as_text(-1.5) == "-1.5", "our own numbers stay numbers"
    assert files.as_text("a=1") == "a=1"


def test_an_injected_comment_stays_text_in_csv_and_workbook(finished_study: Study, cast: Cast) -> None:
    read(cast.rania, finished_study, comment="=1+1")
    assert rows_of(cast.aude)[0]["read_comment"] == "'=1+1"
    book = load_workbook(io.BytesIO(body(client_of(cast.aude).get(reverse("export-xlsx")))))
    cell = book["reads"].cell(2, 1 + NAMES.index("read_comment"))
    assert (cell.value, cell.data_type) == ("'=1+1", "s")


def test_the_workbook_holds_the_same_rows_the_codebook_and_what_it_is(
    finished_study: Study, cast: Cast
) -> None:
    read(cast.rania, finished_study)
    query = {"project": "ward-7"}
    (row,) = rows_of(cast.aude, **query)
    book = load_workbook(io.BytesIO(body(client_of(cast.aude).get(reverse("export-xlsx"), query))))
    reads = list(book["reads"].iter_rows(values_only=True))
    assert reads[0] == NAMES
    given = dict(zip(NAMES, reads[1], strict=True))
    assert given["ai_calibrated_probability"] == 0.78
    assert given["ai_withheld"] is False
    assert given["uploaded_at"] == row["uploaded_at"]
    assert [line[0] for line in book["codebook"].iter_rows(values_only=True)][1:] == list(NAMES)
    about = dict(book["about"].iter_rows(values_only=True))
    assert (about["films"], about["rows"], about["filter_project"]) == (1, 1, "ward-7")
    assert about["disclaimer"] == "Research and education only. Not for clinical use."


def test_the_zip_holds_pictures_and_sums_that_are_true(finished_study: Study, cast: Cast) -> None:
    query = {"pictures": ["display", "overlay", "original"]}
    given = body(client_of(cast.aude).get(reverse("export-zip"), query))
    with zipfile.ZipFile(io.BytesIO(given)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        manifest = dict(
            reversed(line.split("  ")) for line in archive.read("manifest-sha256.txt").decode().splitlines()
        )
        sums = {name: hashlib.sha256(archive.read(name)).hexdigest() for name in names}
        about = archive.read("about.csv").decode()
    reference = finished_study.reference
    pictures = {f"pictures/{reference}-{kind}.png" for kind in ("display", "overlay", "original")}
    assert set(names) == {"reads.csv", "codebook.csv", "about.csv", "manifest-sha256.txt"} | pictures
    assert manifest == {name: digest for name, digest in sums.items() if name != "manifest-sha256.txt"}
    assert sums[f"pictures/{reference}-original.png"] == finished_study.sha256
    assert "pictures_missing,none" in about


def test_a_picture_that_is_lost_is_named_and_the_rest_is_there(finished_study: Study, cast: Cast) -> None:
    finished_study.display.storage.delete(finished_study.display.name)
    given = body(client_of(cast.aude).get(reverse("export-zip"), {"pictures": ["display", "overlay"]}))
    with zipfile.ZipFile(io.BytesIO(given)) as archive:
        about = archive.read("about.csv").decode()
        assert not [name for name in archive.namelist() if name.startswith("pictures/")]
    assert f"{finished_study.reference}-display.png" in about


def test_a_zip_of_too_many_films_is_refused_with_a_sentence_and_not_recorded(
    finished_study: Study, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "ZIP_MOST_FILMS", 0)
    response = client_of(cast.aude).get(reverse("export-zip"))
    assert response.status_code == 400
    assert "1 films are too many" in response.content.decode()
    assert not AuditEvent.objects.filter(verb="films_exported").exists()


def test_a_workbook_of_too_many_rows_is_refused_with_a_sentence(
    finished_study: Study, cast: Cast, rob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(cast.rania, finished_study)
    read(rob, finished_study)
    monkeypatch.setattr(files, "XLSX_MOST_ROWS", 1)
    response = client_of(cast.aude).get(reverse("export-xlsx"))
    assert response.status_code == 400
    assert "An Excel sheet holds 1 rows" in response.content.decode()


def test_each_export_is_recorded_with_filters_and_number_but_no_words_that_people_typed(
    finished_study: Study, cast: Cast
) -> None:
    rows_of(cast.rania, project="ward-7", q="alice")
    event = AuditEvent.objects.get(verb="films_exported")
    assert (event.actor_name, event.details["films"], event.details["kind"]) == ("rania", 1, "csv")
    assert event.details["filters"] == {"project": "ward-7", "q": "given"}


def test_filters_choose_the_rows_and_an_impossible_one_gives_no_file(
    cast: Cast, active_model: ModelVersion
) -> None:
    for number, probability in enumerate((0.2, 0.9)):
        predict(put_in(cast.alice, cast.project, number=number), active_model, probability)
    assert len(rows_of(cast.aude)) == 2
    (row,) = rows_of(cast.aude, result="pneumonia")
    assert row["ai_calibrated_probability"] == "0.9"
    assert rows_of(cast.aude, project="elsewhere") == []
    answer = client_of(cast.aude).get(reverse("export-csv"), {"status": "done"})
    assert (answer.status_code, answer["Content-Type"]) == (400, "text/html; charset=utf-8")


def test_people_are_names_or_codes_that_stay_the_same_and_never_an_address(
    finished_study: Study, cast: Cast
) -> None:
    read(cast.rania, finished_study)
    (coded,) = rows_of(cast.aude, people="code")
    assert (coded["reader"], coded["uploaded_by"]) == (person_code(cast.rania.pk), person_code(cast.alice.pk))
    assert "rania" not in coded.values()
    User.objects.filter(pk=cast.rania.pk).update(username="rania@clinic.example")
    assert rows_of(cast.aude)[0]["reader"] == person_code(cast.rania.pk)


def test_uploaders_cannot_export_even_behind_the_door(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        begin_export(actor=cast.alice, studies=Study.objects.visible_to(cast.alice), filters={}, kind="csv")


def test_the_api_takes_the_filters_of_its_list_and_refuses_others(finished_study: Study, cast: Cast) -> None:
    client, address = client_of(cast.rania), reverse("api-export-csv")
    given = body(client.get(address, {"outcome": "pneumonia", "people": "code"}, HTTP_ACCEPT="text/csv"))
    assert finished_study.reference in given.decode()
    assert body(client.get(address, {"outcome": "normal"})).decode().count("\n") == 1
    answer = client.get(address, {"outcom": "normal"})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert json.loads(answer.content)["errors"][0]["field"] == "outcom"


def films(cast: Cast, model: ModelVersion, number: int) -> Export:
    for at in range(number):
        predict(put_in(cast.alice, cast.project, number=at + 1), model, 0.7)
    return Export(cast.aude, Study.objects.visible_to(cast.aude), {}, exports.USERNAME)


def test_a_chunk_takes_the_same_few_questions_however_full(cast: Cast, active_model: ModelVersion) -> None:
    asked = []
    for number in (2, 12):
        Prediction.objects.all().delete()
        Study.objects.all().delete()
        export = films(cast, active_model, number)
        with CaptureQueriesContext(connection) as queries:
            assert len(list(export.rows())) == number
        asked.append(len(queries))
    assert asked[0] == asked[1] < 10


def test_rows_are_fetched_as_they_are_sent(
    cast: Cast, active_model: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "CHUNK", 3)
    monkeypatch.setattr(files, "PIECE", 500)
    export = films(cast, active_model, 9)
    pieces = files.reads_csv(export)
    next(pieces)
    assert export.rows_given <= 3, "one piece needs one chunk"
    later = films_after(cast, active_model)
    text = b"".join(pieces).decode()
    assert export.rows_given == 9
    assert later.reference not in text, "what comes in meanwhile belongs to the next export"


def films_after(cast: Cast, model: ModelVersion) -> Study:
    study = put_in(cast.alice, cast.project, number=99)
    predict(study, model, 0.7)
    return study


def test_the_page_says_how_many_films_and_keeps_the_filters(finished_study: Study, cast: Cast) -> None:
    client = client_of(cast.rania)
    with CaptureQueriesContext(connection) as queries:
        page = client.get(reverse("export"), {"project": "ward-7"}).content.decode()
    assert "<strong>1 film</strong>" in page
    assert '<input type="hidden" name="project" value="ward-7">' in page
    assert len(queries) <= 15


def test_the_list_of_films_offers_the_export_of_what_it_shows(finished_study: Study, cast: Cast) -> None:
    page = (
        client_of(cast.rania).get(reverse("studies"), {"project": "ward-7", "sort": "-film"}).content.decode()
    )
    assert f'href="{reverse("export-csv")}?project=ward-7"' in page
    assert reverse("export-csv") not in client_of(cast.alice).get(reverse("studies")).content.decode()


def test_the_guide_explains_every_column_in_order() -> None:
    guide = (settings.BASE_DIR / "docs" / "exports.md").read_text(encoding="utf-8")
    rows = guide.partition("## Codebook")[2].splitlines()
    assert tuple(row.split("`")[1] for row in rows if row.startswith("| `")) == NAMES


def test_tags_and_notes_are_there_for_those_who_may_see_them(cast: Cast, finished_study: Study) -> None:
    tag = make_tag(actor=cast.adam, project=cast.project, name="follow-up")
    tag_film(actor=cast.alice, study=finished_study, tag=tag)
    tag_film(actor=cast.adam, study=finished_study, tag=tag)
    for text in ("Rotated.", "Seen again."):
        write_note(actor=cast.alice, study=finished_study, text=text)
    (row,) = rows_of(cast.rania)
    assert (row["tags"], row["notes"]) == ("follow-up", "Rotated.\n\nSeen again.")
    Project.objects.filter(pk=cast.project.pk).update(ai_visibility=Project.AiVisibility.HIDDEN)
    (row,) = rows_of(cast.rania)
    assert (row["tags"], row["notes"]) == ("", "")
