"""Films that may show a name wait for an administrator, who clears or removes them; both are recorded."""

import cv2
import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from core.errors import Conflict, NotAllowed
from diagnosis.intake import burned_in_text
from diagnosis.intake.submission import submit_study
from diagnosis.models import Study
from tests.support.cast import Cast
from tests.support.inputs import films
from tests.support.inputs.dicom_films import dicom

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("active_model")]


def film_with_name() -> bytes:
    film = np.clip(films.chest_like(400, 500), 30, 200)
    cv2.putText(film, "DOE JANE 1960", (30, 60), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2)
    return films.png(film)


@pytest.fixture
def suspect(cast: Cast) -> Study:
    return submit_study(actor=cast.alice, project=cast.project, data=film_with_name()).study


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (film_with_name, "suspected"),
        (lambda: dicom(BurnedInAnnotation="YES"), "declared"),
        (lambda: dicom(BurnedInAnnotation="NO"), ""),
        (films.chest_png, ""),
    ],
)
def test_a_film_is_marked_by_its_tag_or_its_pixels(cast: Cast, data: object, expected: str) -> None:
    made = data()  # type: ignore[operator]
    study = submit_study(actor=cast.alice, project=cast.project, data=made).study
    assert Study.objects.get(pk=study.pk).burned_in_text == expected


def test_only_administrators_see_the_queue(cast: Cast, suspect: Study) -> None:
    assert list(burned_in_text.films_to_check(cast.adam)) == [suspect]
    for person in (cast.alice, cast.rania, cast.aude, cast.nobody):
        with pytest.raises(NotAllowed):
            burned_in_text.films_to_check(person)


def test_clearing_takes_a_film_off_the_queue_and_is_recorded(
    cast: Cast, suspect: Study, client: Client
) -> None:
    client.force_login(cast.adam)
    assert suspect.reference in client.get(reverse("burned-in-text")).content.decode()
    answer = client.post(
        reverse("study-burned-in-text", args=[suspect.uid]), {"answer": "clear"}, follow=True
    )
    assert "marked as checked" in answer.content.decode()
    suspect.refresh_from_db()
    assert (suspect.burned_in_text, suspect.deleted_at) == ("cleared", None)
    event = AuditEvent.objects.get(verb="burned_in_text_cleared")
    assert (event.actor_name, event.object_id, event.details) == (
        "adam",
        str(suspect.uid),
        {"was": "suspected"},
    )


def test_removing_moves_the_film_to_the_trash_and_is_recorded(
    cast: Cast, suspect: Study, client: Client
) -> None:
    client.force_login(cast.adam)
    client.post(reverse("study-burned-in-text", args=[suspect.uid]), {"answer": "remove"})
    suspect.refresh_from_db()
    assert suspect.deleted_at is not None
    verbs = set(AuditEvent.objects.values_list("verb", flat=True))
    assert verbs >= {"burned_in_text_found", "study_deleted"}
    assert not burned_in_text.films_to_check(cast.adam).exists()


@pytest.mark.parametrize("verb", [burned_in_text.clear, burned_in_text.remove])
def test_a_film_is_checked_once(cast: Cast, suspect: Study, verb: object) -> None:
    burned_in_text.clear(actor=cast.adam, study=suspect)
    before = AuditEvent.objects.count()
    with pytest.raises(Conflict):
        verb(actor=cast.adam, study=suspect)  # type: ignore[operator]
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize("answer", ["clear", "remove"])
def test_only_administrators_answer(cast: Cast, suspect: Study, client: Client, answer: str) -> None:
    for person, status in ((cast.alice, 403), (cast.rania, 403), (cast.aude, 403), (cast.otto, 404)):
        client.force_login(person)
        url = reverse("study-burned-in-text", args=[suspect.uid])
        assert client.post(url, {"answer": answer}).status_code == status
    suspect.refresh_from_db()
    assert suspect.may_show_a_name
    assert not AuditEvent.objects.filter(verb__startswith="burned_in_text").exists()


def test_an_unknown_answer_changes_nothing(cast: Cast, suspect: Study, client: Client) -> None:
    client.force_login(cast.adam)
    assert (
        client.post(reverse("study-burned-in-text", args=[suspect.uid]), {"answer": "x"}).status_code == 409
    )
    suspect.refresh_from_db()
    assert suspect.may_show_a_name
