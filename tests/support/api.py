"""Helpers of the API's tests: clients with real tokens, films as uploads, what every problem must be."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from knox.models import AuthToken
from rest_framework.test import APIClient

from tests.support.inputs.films import chest_png

PROBLEM_MEMBERS = {"type", "title", "status", "detail", "code", "errors", "disclaimer"}


def client_of(user: User | None) -> APIClient:
    """Return a client that sends the user's token; without a user it sends none."""
    client = APIClient()
    client.raise_request_exception = False  # a fault of ours must look as it does to strangers
    if user is not None:
        _, token = AuthToken.objects.create(user=user)
        client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def film_upload(data: bytes | None = None, *, seed: int = 0, name: str = "film.png") -> SimpleUploadedFile:
    """Return a film as it comes in a multipart form."""
    return SimpleUploadedFile(name, chest_png(seed=seed) if data is None else data, content_type="image/png")


def assert_problem(response: Any, status: int, code: str | None = None) -> dict[str, Any]:
    """Check that the answer is a problem of this status, and return it."""
    assert response.status_code == status, response.content[:500]
    assert response["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert set(problem) == PROBLEM_MEMBERS
    assert problem["status"] == status
    assert problem["disclaimer"] == settings.DISCLAIMER
    assert problem["detail"]
    assert "Traceback" not in problem["detail"]
    if code is not None:
        assert problem["code"] == code, problem
    return problem
