"""The API against its own description: schemathesis sends what the schema allows and what it forbids.

Each operation is asked a few times with every check; with `--nightly` more often, and along the links between
operations.
"""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis.errors import Unsatisfiable
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from diagnosis.api_tokens import make_token
from diagnosis.health import worker_seen
from diagnosis.models import Study
from pneumoweb.wsgi import application
from tests.cast import Cast

SLOW = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "database": None,
    "derandomize": True,
    "phases": [Phase.explicit, Phase.generate],
}
# Sign-in and sign-out take the token away that the other questions need; they have tests of their own.
APART = "^auth_(login|logout|logoutall|tokens_destroy)$"

# Whether a cursor, an id or a file was ever given out, no description can say.
UNDECIDABLE = [positive_data_acceptance]
# False alarms: operation, words of the failure, and why it is none.
HARMLESS = [
    (
        "POST /api/v1/batches/",
        "generated auth likely invalid",
        "the cookie is invented, the token right",
    ),
    (
        "POST /api/v1/batches/",
        "violates `required`",
        "a form cannot carry bare text: it comes as an empty one",
    ),
    ("/exports/", "violates `enum`", "a filter without a value is one that was not given"),
]


def matters(operation: str, failure: str) -> bool:
    """Whether a failure is none of the false alarms."""
    return not any(where in operation and words in failure for where, words, _reason in HARMLESS)


@pytest.fixture
def described(cast: Cast, finished_study: Study, settings: Any) -> Any:
    """Return the description, and ask as the administrator."""
    settings.ALLOWED_HOSTS = ["localhost", "testserver"]
    settings.PREDICT_WAIT_SECONDS = 0
    worker_seen(loaded_version="test-model")
    schema = schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", application)
    secret = make_token(actor=cast.adam).secret
    schema.config.update(headers={"Authorization": f"Token {secret}"})
    schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    return schema.exclude(operation_id_regex=APART)


def ask_every_operation(described: Any, *, times: int) -> list[str]:
    """Ask each operation, allowed and forbidden things; return what was wrong by operation."""
    wrong: list[str] = []
    for found in described.get_all_operations():
        operation = found.ok()
        for mode in GenerationMode:

            @examples(max_examples=times, **SLOW)  # type: ignore[arg-type]  # one dictionary for all forms
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: Any) -> None:
                case.call_and_validate(excluded_checks=UNDECIDABLE)

            try:
                ask()
            except Unsatisfiable:  # nothing that could be forbidden
                continue
            except FailureGroup as failures:
                told = [str(failure) for failure in failures.exceptions]
                wrong += [
                    f"{operation.label} {mode}: {text}" for text in told if matters(operation.label, text)
                ]
            except Failure as failure:
                if matters(operation.label, str(failure)):
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
    machine = described.as_state_machine()
    machine.run(settings=examples(max_examples=100, stateful_step_count=6, **SLOW))  # type: ignore[arg-type]
