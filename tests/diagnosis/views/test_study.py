"""The page of one film: its states, permissions, and updates by polling."""

import html
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.preferences import save_preferences
from audit.models import AuditEvent
from diagnosis.inference.health import record_heartbeat
from diagnosis.intake.submission import submit_study
from diagnosis.models import ModelVersion, Prediction, Study
from tests.support.cards import stored_card
from tests.support.cast import Cast
from tests.support.inputs.films import chest_like, png

MOST_QUERIES = 15


def page(client: Client, study: Study, name: str = "study", **query: str) -> Any:
    return client.get(reverse(name, args=[study.uid]), query)


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def prediction_of(study: Study, **changes: Any) -> Prediction:
    Prediction.objects.filter(study=study).update(**changes)
    return Prediction.objects.get(study=study)


def queries(client: Client, address: str) -> int:
    """Count the queries, without savepoints and BEGIN."""
    with CaptureQueriesContext(connection) as seen:
        client.get(address)
    return len([query for query in seen if not re.match(r"(SAVEPOINT|RELEASE|BEGIN)", query["sql"])])


def test_the_page_is_closed_to_people_who_are_not_signed_in(client: Client, study: Study) -> None:
    response = page(client, study)
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("login"))


@pytest.mark.parametrize(
    ("who", "status"),
    [("alice", 200), ("rania", 200), ("aude", 200), ("adam", 200), ("otto", 404), ("nobody", 404)],
)
def test_only_members_auditors_and_administrators_see_a_film(
    client: Client, cast: Cast, study: Study, who: str, status: int
) -> None:
    client.force_login(getattr(cast, who))
    assert page(client, study).status_code == status
    assert page(client, study, "study-status").status_code == status


def test_an_unknown_film_and_one_in_the_trash_are_not_found(client: Client, cast: Cast, study: Study) -> None:
    client.force_login(cast.alice)
    Study.objects.update(deleted_at=timezone.now())
    assert page(client, study).status_code == 404
    assert client.get(reverse("study", args=[uuid.uuid4()])).status_code == 404


def test_a_view_of_a_film_is_recorded_once(client: Client, cast: Cast, finished_study: Study) -> None:
    client.force_login(cast.rania)
    page(client, finished_study)
    page(client, finished_study, "study-status")
    event = AuditEvent.objects.get(verb="study_viewed")
    assert (event.actor_name, event.object_id) == ("rania", str(finished_study.uid))


def test_a_refused_view_is_not_recorded(client: Client, cast: Cast, study: Study) -> None:
    client.force_login(cast.otto)
    page(client, study)
    assert not AuditEvent.objects.filter(verb="study_viewed").exists()


@pytest.mark.parametrize(
    ("probability", "outcome", "words"),
    [
        (0.78, "pneumonia", "Above the operating point</h2> <p>The score speaks for pneumonia."),
        (0.12, "normal", "Below the operating point</h2> <p>The score does not speak for pneumonia."),
        (0.55, "pneumonia", "Borderline, just above the operating point"),
        (0.45, "normal", "Borderline, just below the operating point"),
    ],
)
def test_the_result_has_a_headline_and_a_sentence(
    client: Client, cast: Cast, finished_study: Study, probability: float, outcome: str, words: str
) -> None:
    prediction_of(finished_study, calibrated_probability=probability, outcome=outcome)
    client.force_login(cast.alice)
    assert words in text(page(client, finished_study))


def test_the_bar_has_a_text_alternative_with_score_operating_point_and_band(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    client.force_login(cast.alice)
    label = "Calibrated probability 78.0%; operating point 50.0%; borderline band 40.0 to 60.0%"
    assert label in text(page(client, finished_study))


@pytest.mark.parametrize(
    ("probability", "words"), [(0.99999, (">99.9%", ">0.999")), (0.00001, ("<0.1%", "<0.001"))]
)
def test_no_score_is_shown_as_certain(
    client: Client, cast: Cast, finished_study: Study, probability: float, words: tuple[str, str]
) -> None:
    prediction_of(finished_study, calibrated_probability=probability, probability=probability)
    client.force_login(cast.alice)
    shown = html.unescape(text(page(client, finished_study)))
    assert [word for word in words if word not in shown] == []
    assert not re.search(r"Calibrated probability (0|100)\.0%|<strong>(0|100)(\.0)?%", shown)


def test_the_page_shows_facts_of_film_and_prediction(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    client.force_login(cast.alice)
    shown = text(page(client, finished_study))
    facts = ["Ward 7", "alice", "360 × 300 pixels, 8 bit", finished_study.sha256, "block5_conv3", "210 ms"]
    assert [fact for fact in facts if fact not in shown] == []
    assert reverse("model-version", args=["test-model"]) in shown
    assert "Research and education only. Not for clinical use." in shown


def test_a_weak_map_is_called_weak(client: Client, cast: Cast, finished_study: Study) -> None:
    ModelVersion.objects.update(card=stored_card(metrics={"cam_reference": 26.0}))
    client.force_login(cast.alice)
    assert "No region stands out: the map reaches 10%" in text(page(client, finished_study))


def test_the_legend_shows_the_scale_in_numbers(client: Client, cast: Cast, finished_study: Study) -> None:
    """The map's maximum is 2.6; a level that it does not reach has no share of it."""
    ModelVersion.objects.update(card=stored_card(metrics={"cam_reference": 4.0}))
    client.force_login(cast.alice)
    shown = text(page(client, finished_study))
    cells = re.findall(r"<td>\s*(?:<span[^>]*>)?\s*([^<\s]+)\s*<", shown[shown.index("Map value") :])
    assert cells[:6] == ["0.00", "0.80", "1.60", "2.40", "3.20", "4.00"]
    assert cells[6:12] == ["0%", "31%", "62%", "92%", "–", "–"]
    assert "This map's maximum is 2.60." in shown


def test_a_strong_map_is_measured_against_the_card(client: Client, cast: Cast, finished_study: Study) -> None:
    ModelVersion.objects.update(card=stored_card(metrics={"cam_reference": 2.0}))
    client.force_login(cast.alice)
    shown = text(page(client, finished_study))
    assert "The map reaches 130% of the strength of a typical strong map (strong)." in shown
    assert "A typical strong map of this model reaches 2.00; the scale ends at 130% of that." in shown


def test_without_a_reference_the_map_is_not_called_strong(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    client.force_login(cast.alice)
    shown = text(page(client, finished_study))
    assert "Colours are relative to this film alone" in shown
    assert "(strong)" not in shown


def test_without_scripts_the_page_shows_film_and_overlay_with_the_chosen_colours(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    client.force_login(cast.alice)
    shown = text(page(client, finished_study, colour_map="viridis", alpha="0.7"))
    still = re.findall(r"<noscript>(.*?)</noscript>", shown)[0]
    overlay = reverse("study-overlay", args=[finished_study.uid])
    assert f"{overlay}?inline=1&amp;colour_map=VIRIDIS&amp;alpha=0.7" in still
    assert reverse("study-display", args=[finished_study.uid]) in still


def test_colours_and_opacity_start_from_the_persons_preferences(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    save_preferences(actor=cast.alice, colour_map="CIVIDIS", alpha=0.7)
    client.force_login(cast.alice)
    shown = text(page(client, finished_study))
    assert '<option value="CIVIDIS" selected>' in shown
    assert 'value="0.7" data-alpha' in shown
    assert "colour_map=CIVIDIS&amp;alpha=0.7" in shown


def test_invalid_colours_fall_back_to_the_usual_ones(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    client.force_login(cast.alice)
    response = page(client, finished_study, colour_map="<script>", alpha="7")
    assert response.status_code == 200
    assert "colour_map=JET&amp;alpha=0.4" in text(response)


def test_the_page_has_no_inline_style_or_script(client: Client, cast: Cast, finished_study: Study) -> None:
    client.force_login(cast.adam)
    question = client.get(reverse("study-delete", args=[finished_study.uid]))
    shown = text(page(client, finished_study)) + text(question)
    assert not re.search(r"<[^>]+\sstyle=", shown)
    assert "<style" not in shown
    assert not re.search(r"<script(?![^>]*\ssrc=)", shown)


def test_a_waiting_film_shows_its_position_and_polls(client: Client, cast: Cast, study: Study) -> None:
    submit_study(actor=cast.alice, project=cast.project, data=png(chest_like(seed=1)))
    later = Study.objects.exclude(pk=study.pk).get()
    record_heartbeat(loaded_version="test-model")
    client.force_login(cast.alice)
    assert "This film is read next" in text(page(client, study))
    shown = text(page(client, later))
    assert "1 film is read before this one" in shown
    assert "every 1s" in shown
    assert "No worker" not in shown


def test_a_waiting_film_says_when_no_worker_runs(client: Client, cast: Cast, study: Study) -> None:
    client.force_login(cast.alice)
    assert "No worker is reading films at the moment." in text(page(client, study))


def test_a_film_that_waits_for_long_no_longer_polls(client: Client, cast: Cast, study: Study) -> None:
    prediction_of(study, queued_at=timezone.now() - timedelta(hours=1))
    client.force_login(cast.alice)
    shown = text(page(client, study))
    assert "every 1s" not in shown
    assert "Look again" in shown


def test_a_film_being_analysed_shows_its_attempt(client: Client, cast: Cast, study: Study) -> None:
    prediction_of(study, status="running", attempts=2)
    client.force_login(cast.alice)
    shown = text(page(client, study))
    assert "The AI is reading this film" in shown
    assert "Attempt 2 of 3." in shown


def test_a_failed_film_shows_why_and_offers_another_attempt(client: Client, cast: Cast, study: Study) -> None:
    prediction_of(study, status="failed", attempts=3, failure_code="gave_up")
    client.force_login(cast.alice)
    shown = text(page(client, study))
    assert "The film could not be read in three attempts." in shown
    assert reverse("study-retry", args=[study.uid]) in shown
    client.force_login(cast.rania)
    assert reverse("study-retry", args=[study.uid]) not in text(page(client, study))


def test_the_panel_is_sent_only_when_it_changed(client: Client, cast: Cast, study: Study) -> None:
    client.force_login(cast.alice)
    address = re.findall(r'hx-get="([^"]+/status/[^"]*)"', text(page(client, study)))[0]
    assert client.get(address).status_code == 204
    prediction_of(study, status="running", attempts=1)
    response = client.get(address)
    assert response.status_code == 200
    assert "The AI is reading this film" in text(response)


def test_the_last_update_brings_the_result_and_stops_polling(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    client.force_login(cast.alice)
    response = page(client, finished_study, "study-status", seen="queued-0-0-")
    shown = text(response)
    assert response["HX-Trigger-After-Settle"] == "study-finished"
    assert "every" not in "".join(re.findall(r'hx-trigger="([^"]*)"', shown))  # nothing polls any more
    assert f'data-heat-layer="{reverse("study-heatmap", args=[finished_study.uid])}?inline=1' in shown
    assert 'id="downloads" hx-swap-oob="true"' in shown


def test_a_page_whose_film_is_gone_is_reloaded(client: Client, cast: Cast, study: Study) -> None:
    client.force_login(cast.alice)
    Study.objects.update(deleted_at=timezone.now())
    response = page(client, study, "study-status")
    assert (response.status_code, response["HX-Refresh"]) == (404, "true")


def test_an_uploader_has_a_failed_film_analysed_again(client: Client, cast: Cast, study: Study) -> None:
    prediction_of(study, status="failed", failure_code="gave_up")
    client.force_login(cast.alice)
    response = client.post(reverse("study-retry", args=[study.uid]))
    assert response["Location"] == study.get_absolute_url()
    assert [reading.status for reading in study.predictions.all()] == ["queued", "failed"]


def test_a_reader_may_not_have_a_film_analysed_again(client: Client, cast: Cast, study: Study) -> None:
    prediction_of(study, status="failed", failure_code="gave_up")
    client.force_login(cast.rania)
    response = client.post(reverse("study-retry", args=[study.uid]))
    assert response.status_code == 403
    assert "Your account may not have films read again." in text(response)
    assert study.predictions.count() == 1


def test_a_film_with_a_result_is_not_analysed_again(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    client.force_login(cast.alice)
    response = client.post(reverse("study-retry", args=[finished_study.uid]))
    assert response.status_code == 409
    assert "The active model has read this film already" in text(response)


def test_a_result_of_an_older_model_offers_an_analysis_by_the_active_one(
    client: Client, cast: Cast, finished_study: Study
) -> None:
    ModelVersion.objects.update(state="retired")
    ModelVersion.objects.create(
        version="newer",
        architecture="vgg16-gap-512-256-128",
        weights_sha256="1" * 64,
        threshold=0.5,
        borderline_low=0.4,
        borderline_high=0.6,
        card={},
        state="active",
    )
    client.force_login(cast.alice)
    assert "Read with the active model" in text(page(client, finished_study))


def test_get_does_not_analyse_again_or_delete(client: Client, cast: Cast, finished_study: Study) -> None:
    client.force_login(cast.adam)
    assert client.get(reverse("study-retry", args=[finished_study.uid])).status_code == 405
    client.get(reverse("study-delete", args=[finished_study.uid]))
    assert Study.objects.visible_to(cast.adam).count() == 1


def test_an_administrator_deletes_a_film_after_confirming(client: Client, cast: Cast, study: Study) -> None:
    client.force_login(cast.adam)
    address = reverse("study-delete", args=[study.uid])
    assert f"Delete {study.reference}?" in text(client.get(address))
    response = client.post(address, follow=True)
    assert response.redirect_chain[-1][0] == reverse("studies")
    assert f"{study.reference} was moved to the trash." in text(response)
    assert not Study.objects.visible_to(cast.adam).exists()


@pytest.mark.parametrize("who", ["alice", "rania", "aude"])
def test_nobody_else_deletes_a_film(client: Client, cast: Cast, study: Study, who: str) -> None:
    client.force_login(getattr(cast, who))
    assert reverse("study-delete", args=[study.uid]) not in text(page(client, study))
    for send in (client.get, client.post):
        response = send(reverse("study-delete", args=[study.uid]))
        assert response.status_code == 403
        assert "Only an administrator can delete a film." in text(response)
    assert Study.objects.visible_to(cast.adam).exists()


def test_newer_and_older_films_are_linked_within_what_the_person_sees(
    client: Client, cast: Cast, study: Study
) -> None:
    newer = submit_study(actor=cast.alice, project=cast.project, data=png(chest_like(seed=2))).study
    foreign = submit_study(actor=cast.otto, project=cast.other_project, data=png(chest_like(seed=3))).study
    client.force_login(cast.alice)
    assert newer.get_absolute_url() in text(page(client, study))
    shown = text(page(client, newer))
    assert study.get_absolute_url() in shown
    assert foreign.get_absolute_url() not in shown


def test_the_page_takes_few_queries(client: Client, cast: Cast, finished_study: Study) -> None:
    client.force_login(cast.rania)
    assert queries(client, finished_study.get_absolute_url()) <= MOST_QUERIES
    prediction_of(
        finished_study, status="queued", calibrated_probability=None, cam=None, queued_at=timezone.now()
    )
    assert queries(client, finished_study.get_absolute_url()) <= MOST_QUERIES
    assert queries(client, reverse("study-status", args=[finished_study.uid])) <= MOST_QUERIES
