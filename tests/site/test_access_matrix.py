"""Status of every address for each person: one row per route. A route without a row fails."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from diagnosis.models import Batch, Prediction, Project, Study
from reading.models import Review
from reading.reviews.service import review_study
from tests.support.cast import Cast
from tests.support.routes import Route, all_routes
from tests.support.second_factor import just_signed_in

# Nobody has no role, Rania reads and Alice uploads in the film's project, Otto does both in another project,
# Aude audits, Adam administers, Root is a superuser.
PEOPLE = ["anonymous", "nobody", "rania", "otto", "alice", "aude", "adam", "root"]

PUBLIC = [200, 200, 200, 200, 200, 200, 200, 200]
PAGE = [302, 200, 200, 200, 200, 200, 200, 200]
MEMBERS_PAGE = [302, 404, 200, 404, 200, 200, 200, 200]
API = [401, 200, 200, 200, 200, 200, 200, 200]
MEMBERS_API = [401, 404, 200, 404, 200, 200, 200, 200]
EXPORT = [302, 403, 200, 200, 403, 200, 200, 200]  # readers, auditors, administrators
API_EXPORT = [401, *EXPORT[1:]]
ADMINISTRATORS_PAGE = [302, 403, 403, 403, 403, 403, 200, 200]
POST_ONLY_PAGE = [302, 405, 405, 405, 405, 405, 405, 405]

GET: dict[str, list[int]] = {
    "home": [302] * 8,
    "login": PUBLIC,
    "logout": [405] * 8,
    "account_login": PUBLIC,
    "account_reauthenticate": PAGE,
    "mfa_index": PAGE,
    "mfa_authenticate": [302] * 8,  # only between the password and the second factor
    "mfa_reauthenticate": [302] * 8,  # only for those who have a second factor
    "mfa_activate_totp": PAGE,
    "mfa_deactivate_totp": [302, 404, 404, 404, 404, 404, 404, 404],
    "mfa_view_recovery_codes": [302, 404, 404, 404, 404, 404, 404, 404],
    "mfa_download_recovery_codes": [302, 404, 404, 404, 404, 404, 404, 404],
    "mfa_generate_recovery_codes": PAGE,
    "mfa_list_webauthn": PAGE,
    "mfa_add_webauthn": PAGE,
    "mfa_edit_webauthn": [302, 404, 404, 404, 404, 404, 404, 404],
    "mfa_remove_webauthn": [302, 404, 404, 404, 404, 404, 404, 404],
    "mfa_reauthenticate_webauthn": [302] * 8,
    "tokens": PAGE,
    "tokens-revoke-all": POST_ONLY_PAGE,
    "token-revoke": POST_ONLY_PAGE,
    "audit": [302, 403, 403, 403, 403, 200, 200, 200],
    "audit-verify": [302, 403, 403, 403, 403, 405, 405, 405],
    "password_change": PAGE,
    "password_change_done": PAGE,
    "predict": [401, 405, 405, 405, 405, 405, 405, 405],
    "health": PUBLIC,
    "healthz": PUBLIC,
    "readyz": [503] * 8,  # the tests have no worker
    "metrics": [404] * 8,  # closed without METRICS_TOKEN
    "upload": [302, 403, 403, 200, 200, 403, 200, 200],
    "studies": PAGE,
    "study-states": POST_ONLY_PAGE,
    "batches": PAGE,
    "batch-begin": [405] * 8,
    "batch": MEMBERS_PAGE,
    "batch-status": MEMBERS_PAGE,
    "batch-films": [405] * 8,
    "batch-close": POST_ONLY_PAGE,
    "notifications": PAGE,
    "notification-bell": PAGE,
    "notifications-read": POST_ONLY_PAGE,
    "api-batch-list": API,
    "api-batch-detail": MEMBERS_API,
    "api-batch-files": MEMBERS_API,
    "api-batch-films": [401, 405, 405, 405, 405, 405, 405, 405],
    "api-batch-close": [401, 405, 405, 405, 405, 405, 405, 405],
    "study": MEMBERS_PAGE,
    "study-status": MEMBERS_PAGE,
    "study-retry": POST_ONLY_PAGE,
    "study-delete": [302, 404, 403, 404, 403, 403, 200, 200],
    "study-reviews": MEMBERS_PAGE,
    "study-claim": POST_ONLY_PAGE,
    "dashboard": PAGE,
    "dashboard-csv": PAGE,
    "prevalence": PAGE,
    "projects": PAGE,
    "project": MEMBERS_PAGE,
    "discordance": PAGE,
    "discordance-reason": POST_ONLY_PAGE,
    "adjudications": [302, 403, 200, 200, 403, 403, 403, 200],
    "study-adjudication": [302, 404, 409, 404, 403, 403, 403, 409],  # its signed reads do not differ
    "study-marks": MEMBERS_PAGE,
    "save-view": POST_ONLY_PAGE,
    "remove-view": POST_ONLY_PAGE,
    "project-tags": ADMINISTRATORS_PAGE,
    "project-tag-remove": POST_ONLY_PAGE,
    "project-sites": ADMINISTRATORS_PAGE,
    "site-remove": POST_ONLY_PAGE,
    "trash": ADMINISTRATORS_PAGE,
    "trash-restore": POST_ONLY_PAGE,
    "reading-rules": ADMINISTRATORS_PAGE,
    "project-reading-rules": ADMINISTRATORS_PAGE,
    "worklist": [302, 403, 200, 200, 403, 403, 403, 200],
    "study-original": MEMBERS_PAGE,
    "study-display": MEMBERS_PAGE,
    "study-thumbnail": MEMBERS_PAGE,
    "study-heatmap": MEMBERS_PAGE,
    "study-overlay": MEMBERS_PAGE,
    "study-side-by-side": MEMBERS_PAGE,
    "study-burned-in-text": POST_ONLY_PAGE,
    "burned-in-text": [302, 403, 403, 403, 403, 403, 200, 200],
    "study-report": MEMBERS_PAGE,
    "project-report": [302, 404, 200, 404, 403, 200, 200, 200],
    "export": EXPORT,
    "export-csv": EXPORT,
    "export-xlsx": EXPORT,
    "export-zip": EXPORT,
    "export-codebook": PAGE,
    "model": PAGE,
    "model-version": PAGE,
    "system-banner": PAGE,
    "preferences": PAGE,
    "preferences-theme": POST_ONLY_PAGE,
    "set_language": [405] * 8,  # a form on every page, the sign-in page too
    "api-login": [405] * 8,
    "api-logout": [401] * 8,  # a token is what is given back; the browser's session is none
    "api-logoutall": [401] * 8,
    "api-token-list": API,
    "api-token": [401, 405, 405, 405, 405, 405, 405, 405],
    "api-statistics": API,
    "api-schema": PUBLIC,
    "api-docs": PUBLIC,
    "api-prediction-list": API,
    "api-prediction-detail": MEMBERS_API,
    "api-model-list": API,
    "api-model-detail": API,
    "api-project-list": API,
    "api-audit-list": [401, 403, 403, 403, 403, 200, 200, 200],
    "api-study-list": API,
    "api-study-detail": MEMBERS_API,
    "api-study-file": MEMBERS_API,
    "api-study-predictions": MEMBERS_API,
    "api-review-list": API,
    "api-review-detail": MEMBERS_API,
    "api-review-sign": [401, 405, 405, 405, 405, 405, 405, 405],
    "api-export-csv": API_EXPORT,
    "api-export-xlsx": API_EXPORT,
    "api-export-codebook": API,
    "api-unknown": [404] * 8,
}

# The administration: only those with a role there see anything at all, checked for each of its addresses.
ADMIN_PREFIX = "admin/"


def is_admin(route: Route) -> bool:
    return route.pattern.startswith(ADMIN_PREFIX)


@pytest.fixture
def review(finished_study: Study, cast: Cast) -> Review:
    """Rania's opinion on Alice's film."""
    study = Study.objects.get(pk=finished_study.pk)
    return review_study(actor=cast.rania, study=study, finding="normal", confidence=70, agrees_with_ai=False)


def client_of(who: str, cast: Cast) -> Client:
    client = Client(raise_request_exception=False)
    if who == "root":
        just_signed_in(client, User.objects.get_or_create(username="root", is_superuser=True)[0])
    elif who != "anonymous":
        just_signed_in(client, getattr(cast, who))
    return client


def batch_of(review: Review) -> Batch:
    """Return a batch of Alice's in the film's project."""
    study = review.study
    wanted = {
        "project": study.project,
        "created_by": study.uploaded_by,
        "source": "files",
        "state": "receiving",
    }
    return Batch.objects.get_or_create(**wanted)[0]


def address(route: Route, review: Review) -> str:
    """Fill the route's pattern with the film's, its result's and its review's own ids."""
    if route.name == "api-unknown":
        return "/api/nothing/"
    uids = {
        "api-prediction-detail": Prediction.objects.get().uid,
        "api-review-detail": review.uid,
        "api-review-sign": review.uid,
    }
    values = {
        "uid": uids.get(route.name, review.study.uid),
        "batch": batch_of(review).uid,
        "version": "test-model",
        "kind": "original",
        "pk": 1,
        "prefix": "0123456789abcde",
        "slug": "ward-7",
        "tag": 1,
        "site": 1,
        "figure": "scores",
    }
    wanted = {name: value for name, value in values.items() if f"{name}>" in route.pattern}
    return reverse(route.name, kwargs=wanted)


def test_every_route_has_a_row_and_every_row_a_route(db: None) -> None:
    routes = {route.name for route in all_routes() if not is_admin(route)}
    undeclared, stale = sorted(routes - set(GET)), sorted(set(GET) - routes)
    assert not undeclared, f"Declare in GET who may see these routes: {undeclared}"
    assert not stale, f"These rows of GET have no route any more: {stale}"


@pytest.mark.parametrize("name", list(GET))
def test_the_status_for_each_person(cast: Cast, review: Review, name: str) -> None:
    route = next(route for route in all_routes() if route.name == name)
    url = address(route, review)
    given = {who: client_of(who, cast).get(url).status_code for who in PEOPLE}
    assert given == dict(zip(PEOPLE, GET[name], strict=True))


def test_visitors_are_sent_to_sign_in_by_every_page_that_is_not_public(cast: Cast, review: Review) -> None:
    for route in all_routes():
        if (
            not is_admin(route)
            and route.name not in ("home", "mfa_authenticate")
            and GET[route.name][0] == 302
        ):
            answer = client_of("anonymous", cast).get(address(route, review))
            assert answer["Location"].startswith("/accounts/login/?next="), route


def admin_address(route: Route) -> str:
    """Fill an address of the administration; ids need not exist, since the role is asked first."""
    return "/" + route.pattern.replace("<path:object_id>", "1").replace("<id>", "1").replace(
        "(?P<url>.*)$", "x"
    )


def counts() -> list[int]:
    return [model.objects.count() for model in (Study, Prediction, Review, Project, User)]


@pytest.mark.parametrize("who", ["anonymous", "nobody", "rania", "otto", "alice"])
def test_without_a_role_in_the_administration_all_its_addresses_are_closed(cast: Cast, who: str) -> None:
    client = client_of(who, cast)
    routes = [route for route in all_routes() if is_admin(route) and route.name != "admin:logout"]
    assert len(routes) > 40
    before = counts()
    for route in routes:
        for method in ("get", "post"):
            answer = getattr(client, method)(admin_address(route), follow=True)
            landed_at_sign_in = answer.redirect_chain and "/accounts/login/" in answer.redirect_chain[-1][0]
            assert answer.status_code in (403, 404) or (who == "anonymous" and landed_at_sign_in), (
                route,
                answer.status_code,
                answer.redirect_chain,
            )
    assert counts() == before


CHANGING = ["post", "put", "patch", "delete"]
ANYBODY_MAY = {"login", "account_login", "api-login", "logout"}


@pytest.mark.parametrize("method", CHANGING)
def test_visitors_change_nothing_anywhere(cast: Cast, review: Review, method: str) -> None:
    before = counts()
    events = AuditEvent.objects.count()
    for route in all_routes():
        if is_admin(route) or route.name in ANYBODY_MAY:
            continue
        answer = getattr(client_of("anonymous", cast), method)(address(route, review))
        assert answer.status_code in (302, 401, 403, 404, 405), (route, answer.status_code)
    assert counts() == before
    assert AuditEvent.objects.count() == events


@pytest.mark.parametrize("method", CHANGING)
@pytest.mark.parametrize("who", ["otto", "nobody"])
def test_people_of_other_projects_change_nothing_of_a_film(
    cast: Cast, review: Review, who: str, method: str
) -> None:
    before = counts()
    client = client_of(who, cast)
    for route in all_routes():
        if "<uuid:uid>" in route.pattern and not is_admin(route):
            answer = getattr(client, method)(address(route, review))
            assert answer.status_code in (403, 404, 405), (route, answer.status_code)
    assert counts() == before
    assert Study.objects.get().deleted_at is None
