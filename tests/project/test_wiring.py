"""The settings fit together: Celery's times and names, the security headers, the administration's models."""

import re
import tomllib
from datetime import timedelta

import pytest
from django.apps import apps
from django.conf import settings
from django.test import Client

from accounts.admin_site import admin_site
from core.version import VERSION
from diagnosis import tasks
from diagnosis.inference import dispatch
from pneumoweb.celery import app
from tests.support.routes import all_routes
from tests.support.sources import APPS, PACKAGES, ROOT

OWN_TASKS = [tasks.predict, tasks.reconcile, tasks.heartbeat]


def test_the_bell_rings_the_task_that_predicts() -> None:
    assert tasks.predict.name == dispatch.PREDICT_TASK


def test_everything_on_the_schedule_is_a_task() -> None:
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert scheduled >= {tasks.reconcile.name, tasks.heartbeat.name, tasks.mail.name}
    assert scheduled <= set(app.tasks)


def test_messages_are_json_acknowledged_late_and_leave_no_result() -> None:
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_serializer == "json"
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.task_ignore_result
    assert app.conf.worker_prefetch_multiplier == 1


def test_a_task_ends_before_the_broker_gives_it_to_somebody_else() -> None:
    limit = settings.PREDICTION_TIME_LIMIT_SECONDS
    assert app.conf.task_soft_time_limit < app.conf.task_time_limit == limit
    transport = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    assert limit < transport.get("visibility_timeout", timedelta.max.total_seconds())


def test_a_lease_outlives_its_renewal_and_a_worker_its_heartbeat() -> None:
    assert settings.PREDICTION_LEASE_SECONDS >= 15
    assert settings.HEARTBEAT_SECONDS * 2 <= settings.WORKER_SILENT_AFTER_SECONDS
    assert settings.RECONCILE_SECONDS <= settings.RECONCILE_QUEUED_AFTER_SECONDS


def test_no_page_may_load_or_run_anything_from_elsewhere_or_inline() -> None:
    sources = [source for rule in settings.CONTENT_SECURITY_POLICY["DIRECTIVES"].values() for source in rule]
    assert not any("unsafe" in source or source in ("*", "https:", "http:") for source in sources)


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["/accounts/login/", "/api/v1/studies/", "/nothing-here/"])
def test_every_answer_carries_the_security_headers(url: str) -> None:
    answer = Client().get(url)
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"


def test_cookies_are_out_of_the_reach_of_scripts_and_the_session_ends_after_hours_of_rest() -> None:
    assert settings.SESSION_COOKIE_HTTPONLY
    assert settings.SESSION_COOKIE_SAMESITE == "Lax"
    assert settings.SESSION_COOKIE_AGE <= 8 * 3600
    assert settings.SESSION_SAVE_EVERY_REQUEST


def test_nothing_is_debugged_in_public() -> None:
    assert settings.DEBUG is False
    assert "*" not in settings.ALLOWED_HOSTS


# These are looked at as part of another page, or are the program's own bookkeeping.
NOT_IN_THE_ADMINISTRATION = {
    "ProjectMembership",
    "Site",
    "AuditHead",
    "IdempotencyKey",
    "ReadingClaim",
    "ResultDisclosure",
    "DiscordanceReason",
    # These have pages of their own.
    "Adjudication",
    "Batch",
    "BatchItem",
    "FilmTag",
    "Note",
    "Notification",
    "ReadingSettings",
    "SavedView",
    "Tag",
    "LoginAttempt",
    "TokenDetails",
    "UserPreference",
    "ChangedHour",
    "DayFigures",
}


def test_every_model_of_ours_has_its_page_in_the_administration() -> None:
    own = {model for label in APPS for model in apps.get_app_config(label).get_models()}
    missing = {model.__name__ for model in own if model not in admin_site._registry}
    assert missing == NOT_IN_THE_ADMINISTRATION


def test_names_of_addresses_are_unique() -> None:
    names = [route.name for route in all_routes() if not route.pattern.startswith("admin/")]
    assert len(names) == len(set(names))


def test_the_program_knows_the_version_of_its_project_file() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        assert tomllib.load(file)["project"]["version"] == VERSION


def test_tools_know_the_same_packages_as_the_layers() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert sorted(tools["coverage"]["run"]["source"]) == sorted(PACKAGES)
    ((warned,),) = [
        re.findall(r"\((.+)\)$", each) for each in tools["pytest"]["ini_options"]["filterwarnings"]
    ]
    assert sorted(warned.split("|")) == sorted(PACKAGES)
