"""The API against its own description: schemathesis sends what the schema allows and what it forbids.

Each operation is asked a few times with every check; with `--nightly` more often, and along the links between
operations. The examples are the same each time; pytest's `--hypothesis-seed=N` draws others.
"""

from datetime import timedelta
from functools import lru_cache
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, core, given
from hypothesis import settings as examples
from hypothesis.errors import Unsatisfiable
from rest_framework.throttling import ScopedRateThrottle
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from accounts.tokens import make_token
from diagnosis.inference.health import record_heartbeat
from diagnosis.models import Study, WorkerStatus
from pneumoweb.wsgi import application
from tests.support.api import client_of
from tests.support.cast import PASSWORD, Cast

SLOW = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "database": None,
    "derandomize": core.global_force_seed is None,
    "phases": [Phase.explicit, Phase.generate],
}
# What ends tokens is asked with a new one of Alice's each time; all others with one of Adam's.
ENDS_TOKENS = {"auth_logout", "auth_logoutall", "auth_tokens_destroy"}
# Whether a cursor, an id or a file was ever given out, no description can say.
UNDECIDABLE = [positive_data_acceptance]


@pytest.fixture
def described(cast: Cast, finished_study: Study, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the description, and ask as the administrator."""
    settings.ALLOWED_HOSTS = ["localhost", "testserver"]
    settings.PREDICT_WAIT_SECONDS = 0
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"login": None, "upload": None})
    # Nobody signs here again: one sign must do for the whole test, else /readyz turns to 503 by the clock.
    settings.WORKER_SILENT_AFTER_SECONDS = 24 * 60 * 60
    record_heartbeat(loaded_version="test-model")
    schema = schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", application)
    schema.config.generation.update(
        modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE],
        with_security_parameters=False,  # an invented cookie beside a right token proves nothing
    )
    adams_token.cache_clear()
    adams_token()
    return schema


@lru_cache(maxsize=1)
def adams_token() -> str:
    """Return one token of the administrator's, the same throughout a test."""
    return make_token(actor=User.objects.get(username="adam")).secret


def token_for(case: Any) -> dict[str, Any]:
    """Return what a question is sent with beside its case."""
    if case.operation.definition.raw["operationId"] in ENDS_TOKENS:
        secret = make_token(actor=User.objects.get(username="alice")).secret
    else:
        secret = adams_token()
    return {"headers": {"Authorization": f"Token {secret}"}}


def ask_every_operation(described: Any, *, times: int) -> list[str]:
    """Ask each operation, allowed and forbidden things; return what was wrong by operation."""
    wrong: list[str] = []
    for found in described.get_all_operations():
        operation = found.ok()
        for mode in GenerationMode:

            @examples(max_examples=times, **SLOW)  # type: ignore[arg-type]  # one dictionary for all forms
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: Any) -> None:
                case.call_and_validate(excluded_checks=UNDECIDABLE, **token_for(case))

            try:
                ask()
            except Unsatisfiable:  # nothing that could be forbidden
                continue
            except FailureGroup as failures:
                wrong += [f"{operation.label} {mode}: {failure}" for failure in failures.exceptions]
            except Failure as failure:
                wrong.append(f"{operation.label} {mode}: {failure}")
    return wrong


def test_every_answer_is_as_described(described: Any) -> None:
    wrong = ask_every_operation(described, times=3)
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.nightly
def test_every_answer_is_as_described_many_times(described: Any) -> None:
    wrong = ask_every_operation(described, times=300)
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.nightly
def test_walking_along_the_links_finds_nothing_else(described: Any) -> None:
    class Walk(described.as_state_machine()):  # type: ignore[misc]  # made from the description
        def setup(self) -> None:
            self.rolled_back = transaction.atomic()  # every walk begins where the first one did
            self.rolled_back.__enter__()

        def teardown(self) -> None:
            transaction.set_rollback(True)
            self.rolled_back.__exit__(None, None, None)

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return token_for(case)

        def validate_response(self, response: Any, case: Any, **kwargs: Any) -> None:
            sent = {"transport_kwargs": kwargs, "headers": kwargs["headers"]}
            sent["recorder"] = getattr(self, "recorder", None)
            case.validate_response(response, excluded_checks=UNDECIDABLE, **sent)

    Walk.run(settings=examples(max_examples=100, stateful_step_count=6, **SLOW))  # type: ignore[arg-type]


def test_the_worker_counts_as_alive_however_long_the_questions_take(described: Any) -> None:
    WorkerStatus.objects.update(last_seen_at=timezone.now() - timedelta(hours=2))
    assert client_of(None).get("/readyz").status_code == 200


def test_signing_in_out_and_revoking_are_as_described(described: Any, cast: Cast) -> None:
    operations = {
        found.ok().definition.raw["operationId"]: found.ok() for found in described.get_all_operations()
    }
    right = {"username": "alice", "password": PASSWORD, "name": "of the test", "scopes": ["read"], "hours": 1}
    signing_in = operations["auth_login"].Case(body=right, media_type="application/json")
    assert signing_in.call_and_validate().status_code == 200
    prefix = make_token(actor=cast.alice).secret[:15]
    revoking = operations["auth_tokens_destroy"].Case(path_parameters={"prefix": prefix})
    assert revoking.call_and_validate(**token_for(revoking)).status_code == 204
    for name in ("auth_logout", "auth_logoutall"):
        case = operations[name].Case()
        assert case.call_and_validate(**token_for(case)).status_code == 204
