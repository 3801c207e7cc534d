"""The administration in the browser: no CSP violation, working scripts, usable lists."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from audit import trail
from audit.models import AuditEvent
from diagnosis.models import Study
from tests.e2e.helpers.watch import Watch
from tests.support.cast import Cast

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

PAGES = [
    "",
    "diagnosis/study/",
    "diagnosis/prediction/",
    "diagnosis/modelversion/",
    "diagnosis/auditevent/",
    "diagnosis/auditevent/1/change/",
    "diagnosis/workerstatus/",
    "diagnosis/project/",
    "diagnosis/project/add/",
    "reading/review/",
    "auth/user/",
    "auth/user/add/",
    "auth/group/",
]


@pytest.fixture
def adams_page(live_window: Callable[..., Page], cast: Cast, live_server: Any) -> Page:
    """A watched window of the administrator."""
    return live_window(cast.adam, width=1280)


def test_no_page_breaks_the_csp_or_throws(
    adams_page: Page, finished_study: Study, live_server: Any, cast: Cast
) -> None:
    watch = Watch(live_server.url)
    watch.look_at(adams_page)
    trail.record(actor=cast.adam, verb="study_viewed", target=finished_study)
    for address in [
        *PAGES,
        f"diagnosis/study/{finished_study.pk}/change/",
        f"auth/user/{cast.alice.pk}/change/",
    ]:
        answer = adams_page.goto(f"/admin/{address}")
        assert answer is not None
        assert answer.status == 200, address
        expect(
            adams_page.get_by_text("Research and education only. Not for clinical use.").first
        ).to_be_visible()
    assert watch.complaints == []


def test_the_thumbnail_is_shown_and_leads_to_the_film(adams_page: Page, finished_study: Study) -> None:
    adams_page.goto("/admin/diagnosis/study/")
    picture = adams_page.get_by_role("img", name=finished_study.reference)
    expect(picture).to_be_visible()
    assert picture.evaluate("picture => picture.complete && picture.naturalWidth > 0")
    picture.click()
    adams_page.wait_for_url(f"**{finished_study.get_absolute_url()}")


def test_a_film_is_chosen_and_moved_to_the_trash(adams_page: Page, finished_study: Study) -> None:
    adams_page.goto("/admin/diagnosis/study/")
    adams_page.locator("input.action-select").check()
    adams_page.locator("select[name=action]").select_option(label="Move to the trash")
    adams_page.locator(".actions button[name=index]").click()
    expect(adams_page.get_by_text(f"Moved to the trash: {finished_study.reference}.")).to_be_visible()
    assert AuditEvent.objects.filter(verb="study_deleted", actor_name="adam").exists()


def test_a_person_is_created_with_role_and_project_on_one_page(adams_page: Page, cast: Cast) -> None:
    adams_page.goto("/admin/auth/user/add/")
    adams_page.get_by_label("Username").fill("nina")
    adams_page.get_by_label("Password:", exact=True).fill("violet-harbour-41")
    adams_page.get_by_label("Password confirmation").fill("violet-harbour-41")
    adams_page.get_by_label("reader").check()
    adams_page.locator("#memberships-0 .select2-selection").click()
    adams_page.get_by_role("option", name="Ward 7").click()
    adams_page.get_by_role("button", name="Save", exact=True).click()
    adams_page.wait_for_url("**/change/")
    nina = User.objects.get(username="nina")
    assert list(nina.memberships.values_list("project__slug", flat=True)) == ["ward-7"]
    assert list(nina.groups.values_list("name", flat=True)) == ["reader"]
