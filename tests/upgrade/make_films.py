"""Fills the stored installation with films in every state and what people said; with the code of 0.1.0."""

import io
from dataclasses import replace
from typing import Any
from unittest import mock

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from diagnosis import batches, registry, retention
from diagnosis.burned_in_text import clear
from diagnosis.models import Batch, Prediction, Study
from diagnosis.notifications import mark_read
from diagnosis.prediction import claim_prediction, fail, finish, put_back, request_prediction
from diagnosis.submission import submit_study
from diagnosis.unpacking import unpack_batch
from insight import summary
from reading.adjudication import adjudicate
from reading.claims import claim_film
from reading.discordance import give_reason
from reading.marks import tag_film, untag_film, write_note
from reading.models import Review, SavedView, Tag
from reading.region import Region
from reading.review import Time, review_study, sign_review
from reading.saved_views import save_view
from tests.dicom_films import dicom
from tests.films import NOT_FILMS, chest_like, chest_like_16bit, jpeg, png
from tests.results import film_result
from tests.upgrade.make_people import Secrets, person, project
from tests.zips import zip_of

DAY, MINUTE = 24 * 3600, 60


def film(seed: int, width: int = 120) -> bytes:
    """Return a small film of its own."""
    return png(chest_like(100, width, seed=seed))


def send(clock: Any, data: bytes, slug: str = "ward-7", *, code: str = "", site: str = "") -> Study:
    """Take a film in two days and some minutes after the one before."""
    clock.shift(2 * DAY + 37 * MINUTE)
    centre = project(slug).sites.filter(code=site).first()
    return submit_study(
        actor=person("nurse"), project=project(slug), data=data, subject_code=code, site=centre
    ).study


def see(clock: Any, study: Study, score: float, **flags: Any) -> None:
    """Let the network have read the newest prediction of the film, five seconds after it came."""
    clock.shift(4)
    claim = claim_prediction(str(study.predictions.order_by("-pk")[0].uid))
    assert claim is not None
    clock.shift(1)
    finish(claim, replace(film_result(score, **flags), logit=4 * score - 2, probability=score**1.1))


def read(name: str, study: Study, finding: str, confidence: int = 80, **more: Any) -> Review:
    """Let somebody give an opinion, which agrees with the AI's where they see it and it says the same."""
    actor = person(name)
    shown = Study.objects.visible_to(actor).get(pk=study.pk)
    newest = shown.newest_prediction
    agrees = None
    if newest is not None and newest.status == "succeeded" and not shown.ai_hidden:
        agrees = newest.outcome == finding
    opinion = {"finding": finding, "confidence": confidence, "agrees_with_ai": agrees}
    return review_study(actor=actor, study=study, **{"sign": True, **opinion, **more})


def make_films(clock: Any, secrets: Secrets) -> None:
    """Make everything that hangs on films, over eight weeks."""
    first, second = registry.register_shipped(actor=None)
    clock.shift(MINUTE)
    registry.activate(actor=person("admin"), model=first)
    of_the_open_project(clock, second)
    of_the_ward(clock)
    of_the_night(clock)
    of_the_trial(clock)
    in_batches(clock)
    clock.shift(DAY)
    by_the_api(clock, secrets["tokens"]["nurse"])
    summary.refresh()
    clock.shift(DAY)
    views_and_last_words(clock)


def of_the_open_project(clock: Any, newer: Any) -> None:
    """A film of 16 bits that two versions of the model read, and one that was fetched."""
    old = send(clock, png(chest_like_16bit(90, 110, seed=1)), "general", code="G-001")
    see(clock, old, 0.31, scope_flags=None, map_flags=None)
    clock.shift(DAY)
    registry.activate(actor=person("head"), model=newer)
    request_prediction(actor=person("nurse"), study=old)
    see(clock, old, 0.62, scope_flags=("unlike_training",))
    with mock.patch("diagnosis.intake.fetch_url", return_value=film(2)):
        fetched = submit_study(
            actor=person("clerk"), project=project("general"), url="https://example.org/film.png"
        ).study
    see(clock, fetched, 0.08)
    read("consultant", fetched, "normal", 95)


def of_the_ward(clock: Any) -> None:
    """Films of a project with sites: read alike, read apart and decided, drafted, failed, in DICOM."""
    alike = send(clock, film(10), code="P010", site="BER")
    see(clock, alike, 0.97)
    read("paediatrician", alike, "pneumonia", 85, region=Region(0.2, 0.3, 0.25, 0.4), time=Time(95, 61))
    clock.shift(20 * MINUTE)
    read("radiologist", alike, "pneumonia", 91, comment="Both bases. “Ünïcode”,\na new line, 100 %.")
    apart(clock)
    drafted = send(clock, jpeg(chest_like(100, 118, seed=12)), code="P012", site="BER")
    see(clock, drafted, 0.52, map_flags=("map_weak",))
    read("paediatrician", drafted, "other", 40, sign=False, comment="To be looked at again")
    clock.shift(MINUTE)
    read("paediatrician", drafted, "pneumonia", 55, sign=False, time=Time(30, 20))
    sign_review(
        actor=person("radiologist"), review=read("radiologist", drafted, "not_readable", 70, sign=False)
    )
    clock.shift(DAY)
    read("radiologist", drafted, "pneumonia", 60, comment="An addendum, after the second view")
    read("radiologist", drafted, "other", 61, sign=False, comment="An addendum that is not signed")
    failed = send(clock, film(13), code="N013", site="HAM")
    claim = claim_prediction(str(failed.predictions.get().uid))
    assert claim is not None
    fail(claim, "film_missing")
    declared = send(clock, dicom(BurnedInAnnotation="YES", PatientAge="004Y"), code="D014")
    see(clock, declared, 0.71, scope_flags=("inverted",))
    cleared = send(clock, dicom(BurnedInAnnotation="YES", ViewPosition="AP", PatientID="4712"), site="HAM")
    clear(actor=person("head"), study=cleared)
    see(clock, cleared, 0.2)


def apart(clock: Any) -> None:
    """A film on which readers and AI differ, with reasons and two decisions."""
    study = send(clock, film(11), code="N011", site="HAM")
    see(clock, study, 0.04)
    read("paediatrician", study, "pneumonia", 88)
    read("radiologist", study, "normal", 76)
    clock.shift(DAY)
    reason = {"kind": "reader_ai", "reason": "ai_missed", "note": "A faint one"}
    give_reason(actor=person("radiologist"), study=study, **reason)
    give_reason(actor=person("head"), study=study, kind="readers", reason="subtle")
    adjudicate(
        actor=person("head"), study=study, finding="pneumonia", rationale="Seen on the lateral view too."
    )
    clock.shift(MINUTE)
    adjudicate(actor=person("head"), study=study, finding="normal", rationale="A skin fold after all.")


def of_the_night(clock: Any) -> None:
    """Films whose AI result is hidden and whose reads are blind; one in somebody's hands."""
    half = send(clock, film(20), "night", code="X020")
    see(clock, half, 0.66)
    read("paediatrician", half, "pneumonia", 72)
    read("consultant", half, "normal", 50, sign=False)
    taken = send(clock, film(21), "night", code="X021")
    see(clock, taken, 0.44)
    claim_film(actor=person("radiologist"), study=taken)
    claim_film(actor=person("consultant"), study=taken, take_over=True)
    for seed, signed in ((22, True), (23, False)):
        gone = send(clock, film(seed), "night", code=f"X{seed:03d}")
        see(clock, gone, 0.5 + seed / 100)
        read("head", gone, "other", 66, sign=signed)
        write_note(actor=person("head"), study=gone, text="Of somebody who withdrew consent.")
        retention.move_to_trash(actor=person("head"), study=gone)


def of_the_trial(clock: Any) -> None:
    """Tiny films of 24 subjects with the reads of two readers: as many as statistics ask for."""
    for number in range(24):
        clock.shift(5 * 3600)
        sick, sure = number % 2 == 0, 60 + number
        study = submit_study(
            actor=person("head"),
            project=project("trial"),
            data=png(chest_like(60, 64, seed=100 + number)),
            subject_code=f"T{number:03d}",
            site=project("trial").sites.get(code="02" if number % 3 else "01"),
        ).study
        see(clock, study, (0.55 if sick else 0.1) + (number * 7 % 20) / 50)
        clock.shift(600)
        read("paediatrician", study, "pneumonia" if sick or number == 5 else "normal", sure)
        if number % 12:
            read("radiologist", study, "pneumonia" if sick and number != 4 else "normal", sure + 10)


def in_batches(clock: Any) -> None:
    """An archive that is through with refusals and a duplicate, and a batch that is still being sent."""
    names = ["Z-30_a.png", "Z-31_b.png", "Smith_John.png", "Z-32_c.png", "Z-33_d.png"]
    data = zip_of(film(30), film(31), film(34), NOT_FILMS["text"], film(30), names=names)
    archive: dict[str, Any] = {"archive": io.BytesIO(data), "codes_from_names": True}
    clock.shift(DAY)
    site = project("ward-7").sites.get(code="BER")
    batch = batches.begin_zip_batch(actor=person("nurse"), project=project("ward-7"), site=site, **archive)
    while Batch.objects.get(pk=batch.pk).state == Batch.State.UNPACKING:
        clock.shift(3)
        unpack_batch(batch_uid=str(batch.uid))
    for number, prediction in enumerate(Prediction.objects.filter(in_batch=True).order_by("pk")):
        see(clock, prediction.study, 0.3 + number / 2)
    batches.look_after_batches()
    clock.shift(DAY)
    open_one = batches.begin_batch(actor=person("nurse"), project=project("night"), expected=3)
    batches.add_film(actor=person("nurse"), batch=open_one, data=film(40), subject_code="X040")
    with_nothing = batches.begin_batch(actor=person("clerk"), project=project("general"))
    batches.close_batch(actor=person("clerk"), batch=with_nothing)
    assert batches.unfinished_films(open_one).count() == 1


def by_the_api(clock: Any, token: str) -> None:
    """Films sent by a program under keys; one waits, one is being read, one went back after an attempt."""
    client = Client(headers={"authorization": f"Token {token}"})
    for seed in (50, 51, 52):
        clock.shift(MINUTE)
        upload = SimpleUploadedFile("film.png", film(seed), content_type="image/png")
        sent = {"file": upload, "project": "ward-7", "subject_code": f"A{seed:03d}", "site": "ham"}
        answer = client.post("/api/v1/studies/", sent, headers={"idempotency-key": f"key-{seed}"})
        assert answer.status_code == 201, answer.content
    running, back = Prediction.objects.filter(status="queued", in_batch=False).order_by("pk")[:2]
    claim_prediction(str(running.uid))
    claim = claim_prediction(str(back.uid))
    assert claim is not None
    put_back(claim)


def views_and_last_words(clock: Any) -> None:
    """Tags, notes, views and notifications; all later than the sums of days were last worked out."""
    teaching, rotated, tube = Tag.objects.filter(project__slug="ward-7").order_by("pk")
    for code, tag, name in (
        ("P010", teaching, "head"),
        ("P010", rotated, "radiologist"),
        ("N011", tube, "nurse"),
    ):
        tag_film(actor=person(name), study=Study.objects.get(subject_code=code), tag=tag)
    again = Study.objects.get(subject_code="P012")
    tag_film(actor=person("head"), study=again, tag=tube)
    untag_film(actor=person("head"), study=again, tag=tube)
    write_note(actor=person("nurse"), study=again, text="Sitting, with a tube.\n“Second” line.")
    write_note(actor=person("radiologist"), study=again, text="Asked for the lateral view.")
    films, worklist = SavedView.Page.FILMS, SavedView.Page.WORKLIST
    save_view(actor=person("head"), page=films, name="Above", query="result=pneumonia&sort=score")
    shared: dict[str, Any] = {"query": "state=begun&project=ward-7", "shared_with": project("ward-7")}
    save_view(actor=person("radiologist"), page=worklist, name="Begun here", **shared)
    newest = person("nurse").notifications.order_by("-pk")[0]
    mark_read(actor=person("nurse"), notification=newest)
    clock.shift(3 * DAY)
    read("paediatrician", Study.objects.get(subject_code="Z-30"), "normal", 77)
    assert timezone.now().year == 2026
