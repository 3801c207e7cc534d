"""The OpenAPI description, and answers compared with it."""

from io import StringIO
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator

from diagnosis.models import Prediction, Study
from tests.support.api import client_of
from tests.support.cast import Cast


def schema() -> dict[str, Any]:
    generated: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return generated


def test_the_description_is_valid_and_has_no_warnings(db: None) -> None:
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=StringIO())


def test_it_describes_what_outsiders_rely_on(db: None) -> None:
    paths = set(schema()["paths"])
    assert paths >= {"/predict", "/health", "/api/v1/studies/", "/api/v1/reviews/", "/api/v1/auth/login/"}


def test_every_error_is_described_as_a_problem(db: None) -> None:
    for path, methods in schema()["paths"].items():
        for method, operation in methods.items():
            for status, response in operation["responses"].items():
                if int(status) >= 400 and not path.startswith(("/health", "/readyz")):
                    assert list(response["content"]) == ["application/problem+json"], (path, method, status)


def test_whatever_asks_for_a_token_is_described_with_the_refusal_of_one_made_for_something_else(
    db: None,
) -> None:
    for path, methods in schema()["paths"].items():
        for method, operation in methods.items():
            if any(operation.get("security", [])):
                assert "403" in operation["responses"], (path, method)


def test_whatever_takes_an_idempotency_key_is_described_with_its_refusals(db: None) -> None:
    taking = {
        f"{method} {path}": set(operation["responses"])
        for path, methods in schema()["paths"].items()
        for method, operation in methods.items()
        if "Idempotency-Key" in [parameter["name"] for parameter in operation.get("parameters", [])]
    }
    assert "post /api/v1/reviews/" in taking
    assert {name: answers for name, answers in taking.items() if not answers >= {"409", "422"}} == {}


def _follow(node: Any) -> Any:
    """Rewrite OpenAPI 3.0's `nullable` into JSON Schema."""
    if isinstance(node, list):
        return [_follow(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: _follow(value) for key, value in node.items()}
    if node.pop("nullable", False):
        return {"anyOf": [node, {"type": "null"}]}
    return node


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/studies/",
        "/api/v1/studies/{uid}/",
        "/api/v1/studies/{uid}/predictions/",
        "/api/v1/predictions/",
        "/api/v1/models/",
        "/api/v1/projects/",
        "/api/v1/reviews/",
        "/api/v1/statistics/",
        "/api/v1/audit/",
        "/health",
        "/healthz",
        "/readyz",
    ],
)
@pytest.mark.parametrize("finished", [True, False])
def test_answers_are_as_described(cast: Cast, finished_study: Study, path: str, finished: bool) -> None:
    if not finished:
        Prediction.objects.update(
            status="queued", calibrated_probability=None, cam=None, outcome="", probability=None, logit=None
        )
    described = _follow(schema())
    response = client_of(cast.adam).get(path.replace("{uid}", str(finished_study.uid)))
    content = described["paths"][path]["get"]["responses"][str(response.status_code)]["content"]
    root = {**content["application/json"]["schema"], "components": described["components"]}
    jsonschema.Draft202012Validator(root).validate(response.json())


def test_schema_and_docs_are_open_to_everybody(db: None) -> None:
    client = client_of(None)
    assert client.get("/api/v1/schema/").status_code == 200
    assert client.get("/api/v1/docs/").status_code == 200


def test_the_docs_page_needs_no_exception_from_the_strict_policy(db: None, settings: Any) -> None:
    response = client_of(None).get("/api/v1/docs/")
    page = response.content.decode()
    assert "<style" not in page
    assert "style=" not in page
    assert "<script>" not in page
    assert "//" not in page.replace("<!--", "")
    assert "unsafe-inline" not in response["Content-Security-Policy"]
    assert settings.DISCLAIMER in page
