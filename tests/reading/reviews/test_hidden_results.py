"""No door gives a reader the AI result of a hiding project before they have signed their own read."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from diagnosis.intake.submission import submit_study
from diagnosis.models import Prediction, Project, ResultDisclosure, Study
from reading.models import Review
from reading.reviews.service import ReviewRefused, review_study
from tests.support import api
from tests.support.cast import Cast
from tests.support.inputs.films import chest_png
from tests.support.routes import Route, all_routes

# The result as pages and the API write it, in all its roundings; and what colours a badge by it.
TELLTALES = re.compile(
    r"0\.786|78\.6|79(\.0)?\s?%|0\.824|0\.82\b|1\.53|2\.637|0\.03717|9\.2 s|2\.2 s|9173|2179|21\.4|0\.2139"
    r"|pw-verdict|pw-badge--above|data-result|data-heat-layer|heatmap\.png|overlay\.png|"
    r"files/(heatmap|overlay|side-by-side)/|side-by-side\.png"
)
RESULT_MEMBERS = {
    "outcome",
    "confidence",
    "calibrated_probability",
    "raw_score",
    "logit",
    "borderline",
    "layer",
    "cam",
    "cam_strength",
    "cam_reference",
    "cam_area",
    "precision",
    "preprocess_ms",
    "forward_ms",
}
PICTURES = ["heatmap", "overlay", "side-by-side"]


def sign(cast: Cast, study: Study, **changes: Any) -> Review:
    fields: dict[str, Any] = {"finding": "normal", "confidence": 70, **changes}
    return review_study(actor=cast.rania, study=study, sign=True, **fields)


def address(route: Route, study: Study) -> str:
    prediction = Prediction.objects.get(study=study)
    uids = {"api-prediction-detail": prediction.uid, "api-review-detail": None, "api-review-sign": None}
    uid = (
        uids.get(route.name, study.uid) or Review.objects.filter(study=study).values_list("uid", flat=True)[0]
    )
    pattern = route.pattern.replace("<path:object_id>", str(prediction.pk)).replace("<id>", "1")
    if "admin/" in pattern or route.name in ("api-unknown",):
        return "/" + re.sub(r"[\^$]|\(.*\)", "", pattern)
    values = {
        "uid": uid,
        "version": "test-model",
        "kind": "original",
        "pk": 1,
        "slug": "ward-7",
        "tag": 1,
        "site": 1,
    }
    values |= {"figure": "scores", "batch": study.uid, "prefix": "0123456789abcde"}
    wanted = {name: value for name, value in values.items() if f"{name}>" in route.pattern}
    return reverse(route.name, kwargs=wanted)


def answers(client: Client, study: Study) -> Iterator[tuple[Route, str]]:
    """Every page, partial and API answer that is text, as GET gives it; and the polling question by POST."""
    for route in all_routes():
        if route.name in ("logout", "api-schema") or route.name.endswith("jsi18n"):
            continue
        asked_for = address(route, study)  # the language form names it, which tells nothing
        response = client.get(asked_for)
        if not response.streaming and response.get("Content-Type", "").startswith(("text/", "application/")):
            yield route, response.content.decode().replace(f'value="{asked_for}"', "")
    polled = client.post(reverse("study-states"), {"pending": [f"{study.uid}:queued"]})
    yield Route("study-states", "POST"), polled.content.decode()


@pytest.mark.parametrize("who", ["rania", "root"])
def test_no_address_gives_a_hidden_result_away(cast: Cast, rob: User, hidden_study: Study, who: str) -> None:
    """Root is a superuser, hence a reader too: the administration must not tell them either."""
    user = cast.rania if who == "rania" else User.objects.create_superuser("root")
    review_study(actor=user, study=hidden_study, finding="normal", confidence=70)
    review_study(actor=rob, study=hidden_study, finding="normal", confidence=60, sign=True)
    client = Client()
    client.force_login(user)
    seen = 0
    for route, text in answers(client, hidden_study):
        seen += 1
        found = TELLTALES.search(text)
        around = text[max(0, found.start() - 80) : found.end() + 40] if found is not None else ""
        assert found is None, (route, around)
    assert seen > 25


def test_the_same_search_finds_the_result_once_the_read_is_signed(cast: Cast, hidden_study: Study) -> None:
    sign(cast, hidden_study)
    client = Client()
    client.force_login(cast.rania)
    telling = {route.name for route, text in answers(client, hidden_study) if TELLTALES.search(text)}
    assert telling >= {
        "study",
        "study-status",
        "study-states",
        "studies",
        "api-study-list",
        "api-study-detail",
        "api-study-predictions",
        "api-prediction-list",
        "api-prediction-detail",
    }


@pytest.mark.parametrize("who", ["alice", "aude", "adam"])
def test_who_is_no_reader_sees_results(cast: Cast, hidden_study: Study, who: str) -> None:
    study = api.client_of(getattr(cast, who)).get(f"/api/v1/studies/{hidden_study.uid}/").json()
    assert (study["ai_hidden"], study["outcome"]) == (False, "pneumonia")


def members(data: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(data, dict):
        for name, value in data.items():
            yield name, value
            yield from members(value)
    elif isinstance(data, list):
        for item in data:
            yield from members(item)


@pytest.mark.parametrize(
    "path",
    ["studies/", "studies/{study}/", "studies/{study}/predictions/", "predictions/", "predictions/{run}/"],
)
def test_hidden_members_are_null_and_said_to_be_hidden(cast: Cast, hidden_study: Study, path: str) -> None:
    run = Prediction.objects.get().uid
    response = api.client_of(cast.rania).get("/api/v1/" + path.format(study=hidden_study.uid, run=run))
    assert response.status_code == 200
    told = list(members(response.json()))
    assert {value for name, value in told if name in RESULT_MEMBERS} == {None}
    assert {value for name, value in told if name == "ai_hidden"} == {True}
    assert {value for name, value in told if name == "status"} == {"succeeded"}


@pytest.mark.parametrize("kind", PICTURES)
def test_pictures_of_a_hidden_result_are_refused_with_a_code(
    client: Client, cast: Cast, hidden_study: Study, kind: str
) -> None:
    answer = api.client_of(cast.rania).get(f"/api/v1/studies/{hidden_study.uid}/files/{kind}/")
    api.assert_problem(answer, 403, "ai_hidden")
    client.force_login(cast.rania)
    for query in ("", "?inline=1"):
        page = client.get(reverse(f"study-{kind}", args=[hidden_study.uid]) + query)
        assert page.status_code == 403
        assert "signed your own read" in page.content.decode()
    sign(cast, hidden_study)
    assert client.get(reverse(f"study-{kind}", args=[hidden_study.uid])).status_code == 200


@pytest.mark.parametrize("kind", ["original", "display", "thumbnail"])
def test_the_film_itself_is_not_hidden(client: Client, cast: Cast, hidden_study: Study, kind: str) -> None:
    client.force_login(cast.rania)
    assert client.get(reverse(f"study-{kind}", args=[hidden_study.uid])).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "/api/v1/studies/?outcome=pneumonia",
        "/api/v1/studies/?review_state=agreed",
        "/api/v1/studies/?review_state=disagreed",
        "/api/v1/predictions/?outcome=pneumonia",
        "/api/v1/reviews/?agrees_with_ai=true",
        "/api/v1/reviews/?agrees_with_ai=false",
        "/studies/?result=pneumonia",
        "/studies/?result=borderline",
        "/studies/?review=agreed",
        "/studies/?review=disagreed",
    ],
)
def test_lists_cannot_be_searched_by_a_hidden_result(
    cast: Cast, rob: User, hidden_study: Study, query: str
) -> None:
    Prediction.objects.update(calibrated_probability=0.55)  # borderline too
    review_study(actor=rob, study=hidden_study, finding="other", confidence=5, sign=True)
    agrees = query.endswith(("=agreed", "=true"))  # so that the film would be found
    review_study(actor=rob, study=hidden_study, finding="other", confidence=5, agrees_with_ai=agrees)
    client = api.client_of(cast.rania) if query.startswith("/api") else Client()
    if not query.startswith("/api"):
        client.force_login(cast.rania)
    text = client.get(query).content.decode()
    assert str(hidden_study.uid) not in text
    assert hidden_study.reference not in text


def test_the_history_cannot_be_sorted_by_a_hidden_result(
    client: Client, cast: Cast, hidden_study: Study
) -> None:
    second = submit_study(actor=cast.alice, project=cast.project, data=chest_png(seed=2)).study
    client.force_login(cast.rania)
    for sort, expected in (("probability", [hidden_study, second]), ("-probability", [second, hidden_study])):
        text = client.get(reverse("studies"), {"sort": sort}).content.decode()
        order = re.findall(r"pw-rowlink[^>]*>(PW-\d+)", text)
        assert order == [study.reference for study in expected], sort


def test_other_readers_are_not_heard_before_ones_own_read(cast: Cast, rob: User, hidden_study: Study) -> None:
    said = review_study(actor=rob, study=hidden_study, finding="pneumonia", confidence=90, sign=True)
    assert not Review.objects.visible_to(cast.rania).exists()
    client = api.client_of(cast.rania)
    assert client.get(f"/api/v1/reviews/{said.uid}/").status_code == 404
    assert client.get(f"/api/v1/studies/{hidden_study.uid}/").json()["reviews"] == []
    sign(cast, hidden_study)
    assert said in Review.objects.visible_to(cast.rania)


def test_a_draft_opens_nothing_and_a_signature_opens_this_film_alone(cast: Cast, hidden_study: Study) -> None:
    other = submit_study(actor=cast.alice, project=cast.project, data=chest_png(seed=2)).study
    review_study(actor=cast.rania, study=hidden_study, finding="normal", confidence=70)
    assert not ResultDisclosure.objects.exists()
    sign(cast, hidden_study)
    hidden = {film.pk: film.ai_hidden for film in Study.objects.visible_to(cast.rania)}
    assert hidden == {hidden_study.pk: False, other.pk: True}


def test_a_blind_read_holds_no_result_and_no_agreement(cast: Cast, hidden_study: Study) -> None:
    with pytest.raises(ReviewRefused) as refusal:
        sign(cast, hidden_study, agrees_with_ai=True)
    assert refusal.value.code == "agreement_invalid"
    assert sign(cast, hidden_study).prediction is None


def test_predict_is_refused_to_readers_before_anything_is_stored(cast: Cast, hidden_study: Study) -> None:
    cast.alice.groups.add(Group.objects.get(name="reader"))
    client = api.client_of(User.objects.get(pk=cast.alice.pk))
    for data in (chest_png(), chest_png(seed=5)):
        answer = client.post("/predict", {"file": api.film_upload(data), "project": cast.project.slug})
        api.assert_problem(answer, 403, "ai_hidden")
    assert Study.objects.count() == 1


def test_a_known_film_sent_again_does_not_tell_its_result(
    client: Client, cast: Cast, hidden_study: Study
) -> None:
    cast.alice.groups.add(Group.objects.get(name="reader"))
    alice = User.objects.get(pk=cast.alice.pk)
    fields = {"project": cast.project.slug}
    sent = api.client_of(alice).post("/api/v1/studies/", {"file": api.film_upload(), **fields}).json()
    assert (sent["duplicate"], sent["ai_hidden"], sent["outcome"]) == (True, True, None)
    client.force_login(alice)
    page = client.post(
        reverse("upload"),
        {"file": api.film_upload(), "project": cast.project.pk},
        headers={"Accept": "application/json"},
    )
    assert page.status_code == 200
    assert not TELLTALES.search(page.content.decode())
    assert "AI hidden" in page.content.decode()


def test_switching_a_project_to_hidden_hides_at_once(cast: Cast, finished_study: Study) -> None:
    client = api.client_of(cast.rania)
    review_study(actor=cast.rania, study=finished_study, finding="normal", confidence=5, agrees_with_ai=False)
    Project.objects.update(ai_visibility=Project.AiVisibility.HIDDEN)
    study = client.get(f"/api/v1/studies/{finished_study.uid}/").json()
    assert study["ai_hidden"]
    assert [review["agrees_with_ai"] for review in study["reviews"]] == [None]
    assert [review["prediction"] for review in study["reviews"]] == [None]
