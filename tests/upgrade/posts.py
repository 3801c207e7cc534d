"""The API's answers to writing requests: their shape, since ids and times are new, or the whole problem."""

import json
from typing import Any

from tests.upgrade import past
from tests.upgrade.addresses import film, table

Answer = dict[str, Any]


def shape(value: Any) -> Any:
    """Return names and types of values; of a list, its first element's."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def posts() -> dict[str, Any]:
    """Return a function that sends each request, by the request's name."""
    new, review = film("A051"), {"finding": "normal", "confidence": 70}
    draft = str(table("reading_review").filter(signed_at=None, reader__username="consultant").first().uid)
    return {
        "predict, a film that is in": lambda who: _film(
            who, "/predict", stored_film("P010"), project="ward-7"
        ),
        "predict, a new film": lambda who: _film(who, "/predict", new_film()),
        "predict, no film": lambda who: _film(who, "/predict", b"hello, this is a letter"),
        "predict, nothing": lambda who: who.post("/predict"),
        "study sent": lambda who: _film(who, "/api/v1/studies/", new_film(), project="ward-7", site="BER"),
        "study sent again": lambda who: _film(who, "/api/v1/studies/", stored_film("P010"), project="ward-7"),
        "study sent to nowhere": lambda who: _film(who, "/api/v1/studies/", new_film(), project="nowhere"),
        "study by url": lambda who: _json(who, "/api/v1/studies/", {"url": "https://example.org/film.png"}),
        "study read again": lambda who: who.post(f"/api/v1/studies/{film('N013')}/predictions/"),
        "study deleted": lambda who: who.delete(f"/api/v1/studies/{new}/"),
        "review": lambda who: _json(who, "/api/v1/reviews/", {"study": new, **review}),
        "review without a finding": lambda who: _json(who, "/api/v1/reviews/", {"study": new}),
        "review signed by somebody else": lambda who: _json(
            who, f"/api/v1/reviews/{draft}/sign/", {"password": past.PASSWORD}
        ),
        "batch": lambda who: _json(who, "/api/v1/batches/", {"project": "trial", "expected": 2}),
        "token": lambda who: _json(who, "/api/v1/auth/tokens/", {"name": "new", "scopes": ["read"]}),
        "sign-in": lambda who: _json(
            who, "/api/v1/auth/login/", {"username": "head", "password": past.PASSWORD}
        ),
        "sign-in mistyped": lambda who: _json(
            who, "/api/v1/auth/login/", {"username": "head", "password": "wrong"}
        ),
    }


def told(response: Any) -> Answer:
    """Return the status and the answer's shape; a problem whole."""
    body = json.loads(response.content) if response.content else None
    is_problem = response.get("Content-Type", "") == "application/problem+json"
    return {"status": response.status_code, "answer": body if is_problem else shape(body)}


def new_film() -> bytes:
    """Return a film that is not stored yet."""
    from tests.support.inputs.films import chest_like, png

    return png(chest_like(100, 120, seed=1234))


def stored_film(code: str) -> bytes:
    """Return a stored film as it was sent."""
    with table("diagnosis_study").get(subject_code=code).original.open("rb") as file:
        return bytes(file.read())


def _film(who: Any, address: str, data: bytes, **fields: str) -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    upload = SimpleUploadedFile("film.png", data, content_type="image/png")
    return who.post(address, {"file": upload, **fields})


def _json(who: Any, address: str, fields: dict[str, Any]) -> Any:
    return who.post(address, json.dumps(fields), content_type="application/json")
