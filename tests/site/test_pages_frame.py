"""Every page: the disclaimer, error pages with a next step, sign-in and its refusals."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project_settings
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse
from django.views import defaults
from django.views.csrf import csrf_failure

from diagnosis.inference.health import record_heartbeat
from diagnosis.models import ModelVersion, Study
from tests.support.cast import PASSWORD, Cast

DISCLAIMER = "Research and education only. Not for clinical use."
ROOT = Path(project_settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


def sign_in(client: Client, name: str, password: str = PASSWORD) -> Any:
    return client.post(reverse("login"), {"username": name, "password": password})


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def test_the_disclaimer_is_worded_exactly() -> None:
    assert project_settings.DISCLAIMER == DISCLAIMER


@pytest.mark.parametrize(
    "name", ["login", "password_change", "password_change_done", "logout", "studies", "upload"]
)
def test_every_page_carries_the_disclaimer(client: Client, cast: Cast, name: str) -> None:
    if name != "login":
        client.force_login(cast.adam)
    response = client.post(reverse(name)) if name == "logout" else client.get(reverse(name))
    assert response.status_code == 200
    assert text(response).count(DISCLAIMER) == 1


def test_error_pages_have_the_disclaimer_a_sentence_and_a_link(client: Client, cast: Cast) -> None:
    request = RequestFactory().get("/")
    pages = [
        defaults.bad_request(request, ValueError()),
        defaults.server_error(request),
        csrf_failure(request),
        client.get("/nowhere/"),
    ]
    assert [page.status_code for page in pages] == [400, 500, 403, 404]
    for page in pages:
        assert DISCLAIMER in text(page)
        assert "<h1>" in text(page)
        assert "Go to the films" in text(page)
    assert DISCLAIMER in render_to_string("403.html", {"disclaimer": DISCLAIMER}, request)


def test_the_error_page_makes_no_query(django_assert_num_queries: Any, db: None) -> None:
    with django_assert_num_queries(0):
        assert defaults.server_error(RequestFactory().get("/")).status_code == 500


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds_inline_script_or_style(template: Path) -> None:
    """The content security policy would block them silently."""
    source = template.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)", source)
    assert not re.search(r"<style|\sstyle=|\son\w+=[\"']|javascript:", source)


def test_pages_send_the_strict_policy(client: Client) -> None:
    policy = client.get(reverse("login")).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_a_failed_sign_in_does_not_say_which_part_was_wrong(client: Client, cast: Cast) -> None:
    known, unknown = sign_in(client, "alice", "wrong"), sign_in(client, "mallory", "wrong")
    for response in (known, unknown):
        assert "do not match an account" in text(response)


def test_after_five_failures_sign_in_is_locked_and_the_page_says_for_how_long(
    client: Client, cast: Cast
) -> None:
    for _ in range(project_settings.AXES_FAILURE_LIMIT):
        response = sign_in(client, "alice", "wrong")
    assert response.status_code == 429
    assert "Wait 15 minutes" in text(response)
    assert sign_in(client, "alice").status_code == 429
    assert sign_in(client, "rania").status_code == 302


def test_signing_in_leads_to_the_wanted_page_but_never_to_another_site(client: Client, cast: Cast) -> None:
    wanted = reverse("upload")
    data = {"username": "alice", "password": PASSWORD, "next": wanted}
    assert client.post(reverse("login"), data).headers["Location"] == wanted
    data["next"] = "https://example.org/"
    assert client.post(reverse("login"), data).headers["Location"] == reverse("home")


def test_signing_out_needs_a_post_and_says_so(client: Client, cast: Cast) -> None:
    client.force_login(cast.alice)
    assert client.get(reverse("logout")).status_code == 405
    assert "You are signed out" in text(client.post(reverse("logout")))
    assert client.get(reverse("studies")).status_code == 302


def test_a_password_is_changed_with_the_old_one_only(client: Client, cast: Cast) -> None:
    client.force_login(cast.alice)
    new = {"new_password1": "a new and long one", "new_password2": "a new and long one"}
    refused = client.post(reverse("password_change"), {"old_password": "wrong", **new})
    assert "The password was not changed" in text(refused)
    changed = client.post(reverse("password_change"), {"old_password": PASSWORD, **new}, follow=True)
    assert "Your password was changed" in text(changed)
    client.post(reverse("logout"))
    assert sign_in(client, "alice", "a new and long one").status_code == 302


def test_the_menu_offers_what_the_role_covers(client: Client, cast: Cast) -> None:
    offers = {}
    for name in ("alice", "rania", "aude", "adam", "nobody"):
        client.force_login(getattr(cast, name))
        menu = re.search(r'<nav class="pw-nav".*?</nav>', text(client.get(reverse("studies"))))
        assert menu is not None
        offers[name] = (reverse("upload") in menu[0], reverse("admin:index") in menu[0])
    assert offers == {
        "alice": (True, False),
        "rania": (False, False),
        "aude": (False, True),
        "adam": (True, True),
        "nobody": (False, False),
    }


def test_the_banner_is_shown_only_while_films_are_not_analysed(
    client: Client, cast: Cast, study: Study, active_model: ModelVersion
) -> None:
    client.force_login(cast.alice)
    assert "No worker is reading films" in text(client.get(reverse("system-banner")))
    assert "Waiting: 1 film." in text(client.get(reverse("system-banner")))
    record_heartbeat(loaded_version=active_model.version)
    assert text(client.get(reverse("system-banner"))) == ""


def test_messages_are_shown_once_and_escaped(client: Client, cast: Cast, study: Study) -> None:
    client.force_login(cast.adam)
    response = client.post(reverse("study-delete", args=[study.uid]), follow=True)
    assert f"{study.reference} was moved to the trash" in text(response)
    assert "moved to the trash" not in text(client.get(reverse("studies")))
    assert "&lt;b&gt;" in render_to_string("partials/message.html", {"text": "<b>", "kind": "info"})
