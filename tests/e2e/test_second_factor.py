"""Second factors in the browser: a passkey of Chromium's virtual authenticator, and an authenticator app."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Browser, Page, expect

from tests.e2e.helpers.watch import Watch
from tests.support.cast import PASSWORD, Cast
from tests.support.second_factor import code_of

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def adams_page(browser: Browser, live_server: Any, cast: Cast, settings: Any) -> Iterator[Page]:
    """A watched window of the administrator, who has just signed in with the password alone."""
    settings.ADMIN_SECOND_FACTOR = True
    context = browser.new_context(base_url=live_server.url)
    watch = Watch(live_server.url)
    page = watch.look_at(context.new_page())
    page.goto("/accounts/login/")
    give_password(page)
    page.wait_for_url("**/studies/")
    yield page
    context.close()
    assert watch.complaints == []


def give_password(page: Page) -> None:
    page.get_by_label("User name").fill("adam")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def sign_out_and_in_again(page: Page, prove: Callable[[], None]) -> None:
    """Sign out; come back to the administration with password and second factor."""
    page.context.clear_cookies()
    page.goto("/admin/")
    give_password(page)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    prove()
    page.wait_for_url("**/admin/")
    expect(page.get_by_role("heading", name="Recent actions")).to_be_visible()


def plug_in_an_authenticator(page: Page) -> None:
    """Add a virtual authenticator to the window, like a laptop's fingerprint reader."""
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    abilities = {"hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    kind = {"protocol": "ctap2", "transport": "internal", "automaticPresenceSimulation": True}
    device.send("WebAuthn.addVirtualAuthenticator", {"options": {**kind, **abilities}})


def test_an_administrator_adds_a_passkey_and_signs_in_with_it(adams_page: Page) -> None:
    plug_in_an_authenticator(adams_page)
    adams_page.goto("/admin/")  # leads to the page that sets one up
    adams_page.get_by_role("link", name="Add a passkey").click()
    adams_page.get_by_label("Name, to tell it from others").fill("laptop")
    adams_page.get_by_role("button", name="Add").click()
    expect(adams_page.get_by_text("Write these codes down now")).to_be_visible()
    sign_out_and_in_again(adams_page, lambda: adams_page.get_by_role("button", name="Use a passkey").click())
    assert Authenticator.objects.filter(type="webauthn", last_used_at__isnull=False).count() == 1


def test_an_administrator_sets_up_an_app_and_signs_in_with_its_code(adams_page: Page) -> None:
    adams_page.goto("/admin/")
    adams_page.get_by_role("link", name="Set up an app").click()
    secret = adams_page.get_by_label("Key").input_value()
    give_code(adams_page, secret, "Set up")
    expect(adams_page.get_by_text("Write these codes down now")).to_be_visible()
    sign_out_and_in_again(adams_page, lambda: give_code(adams_page, secret, "Sign in"))


def give_code(page: Page, secret: str, button: str) -> None:
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name=button, exact=True).click()
