"""The trash: who sees it, restoring a film, and purging it with its files after some days."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from core.errors import Conflict, NotAllowed
from diagnosis.intake.submission import submit_study
from diagnosis.models import Prediction, Study
from diagnosis.studies import trash
from diagnosis.studies.trash import move_to_trash, purge_trash, restore
from reading.models import Review
from reading.reviews.service import review_study
from tests.support.cast import Cast
from tests.support.inputs.films import chest_png


def delete(cast: Cast, study: Study, *, days: int = 0) -> None:
    move_to_trash(actor=cast.adam, study=study)
    Study.objects.filter(pk=study.pk).update(deleted_at=timezone.now() - timedelta(days=days))


def review(cast: Cast, study: Study, *, sign: bool) -> Review:
    return review_study(actor=cast.rania, study=study, finding="normal", confidence=70, sign=sign)


def test_an_administrator_sees_a_film_in_the_trash_and_restores_it(
    client: Client, cast: Cast, study: Study
) -> None:
    review(cast, study, sign=True)
    delete(cast, study)
    client.force_login(cast.adam)
    page = client.get(reverse("trash")).content.decode()
    assert study.reference in page
    assert "For ever: a review is signed" in page
    client.post(reverse("trash-restore", args=[study.uid]))
    assert Study.objects.visible_to(cast.rania).filter(pk=study.pk).exists()
    assert Review.objects.visible_to(cast.rania).exists()
    assert AuditEvent.objects.filter(verb="study_restored", actor_name="adam").exists()


@pytest.mark.parametrize("who", ["rania", "alice", "aude", "nobody"])
def test_only_administrators_see_it(client: Client, cast: Cast, study: Study, who: str) -> None:
    delete(cast, study)
    client.force_login(getattr(cast, who))
    assert client.get(reverse("trash")).status_code == 403
    assert client.post(reverse("trash-restore", args=[study.uid])).status_code == 403
    with pytest.raises(NotAllowed):
        restore(actor=getattr(cast, who), study=study)


def test_a_film_that_was_uploaded_again_is_not_restored(client: Client, cast: Cast, study: Study) -> None:
    delete(cast, study)
    again = submit_study(actor=cast.alice, project=cast.project, data=chest_png()).study
    client.force_login(cast.adam)
    answer = client.post(reverse("trash-restore", args=[study.uid]))
    assert answer.status_code == 409
    assert again.reference in answer.content.decode()
    with pytest.raises(Conflict):
        restore(actor=cast.adam, study=again)
    assert client.post(reverse("trash-restore", args=[again.uid])).status_code == 404


def test_after_its_days_a_film_is_purged_with_its_files_and_drafts(
    settings: Any, cast: Cast, finished_study: Study, django_capture_on_commit_callbacks: Any
) -> None:
    settings.TRASH_DAYS = 30
    names = [finished_study.original.name, finished_study.display.name, finished_study.thumbnail.name]
    for _ in range(2):
        review_study(
            actor=cast.rania, study=finished_study, finding="normal", confidence=5, agrees_with_ai=False
        )
    delete(cast, finished_study, days=29)
    assert purge_trash() == 0
    delete(cast, finished_study, days=31)
    assert all(default_storage.exists(name) for name in names)
    with django_capture_on_commit_callbacks(execute=True):
        assert purge_trash() == 1
    assert not Study.objects.exists()
    assert not any(default_storage.exists(name) for name in names)
    assert AuditEvent.objects.get(verb="study_purged").object_id == str(finished_study.uid)


def test_a_signed_read_keeps_its_film(settings: Any, cast: Cast, study: Study) -> None:
    settings.TRASH_DAYS = 1
    review(cast, study, sign=True)
    delete(cast, study, days=400)
    assert purge_trash() == 0
    assert Study.objects.exists()


def test_a_film_being_analysed_and_a_restored_one_stay(settings: Any, cast: Cast, study: Study) -> None:
    settings.TRASH_DAYS = 1
    delete(cast, study, days=2)
    Prediction.objects.update(status=Prediction.Status.RUNNING)
    assert purge_trash() == 0
    Prediction.objects.update(status=Prediction.Status.QUEUED)
    restore(actor=cast.adam, study=study)
    assert purge_trash() == 0


def test_by_default_nothing_is_purged(cast: Cast, study: Study) -> None:
    delete(cast, study, days=4000)
    assert purge_trash() == 0


def test_without_a_keeper_nothing_keeps_a_film(
    settings: Any, cast: Cast, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TRASH_DAYS = 1
    monkeypatch.setattr(trash, "_keepers", [])
    delete(cast, study, days=2)
    (film,) = trash.list_trash(cast.adam, limit=5)
    assert (film.is_kept, film.goes_at is None) == (False, False)
    assert purge_trash() == 1


def test_a_film_that_is_signed_while_it_is_purged_stays(
    settings: Any, cast: Cast, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TRASH_DAYS = 1
    review(cast, study, sign=True)
    delete(cast, study, days=2)
    assert not trash._purge(study.pk)
    assert Review.objects.filter(study=study).exists()


def test_the_task_keeps_the_name_in_the_schedule(settings: Any) -> None:
    from pneumoweb.celery import app

    app.loader.import_default_modules()
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(app.tasks)
