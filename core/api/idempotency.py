"""The Idempotency-Key header: a decorator for API methods that create something."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.actor import actor_of
from core.api.problem import ProblemSerializer
from core.idempotency import claim_key, release_key, store_answer

Method = Callable[..., Response]
_KEY = re.compile(r"[\x21-\x7e]{1,200}")

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Any text of up to 200 printable characters. The same request under the same key is done "
    "once and answered the same way for 24 hours; another request under it is refused with 422.",
)
# Refusals of the key itself: the first request is still running, or was another one.
KEY_REFUSALS = {409: ProblemSerializer, 422: ProblemSerializer}


def idempotent(*, keep: bool = True) -> Callable[[Method], Method]:
    """Honour the Idempotency-Key header of a creating method.

    With `keep` False the key only refuses another request; the same one is repeated, which is safe, instead
    of storing a large answer.
    """

    def decorate(method: Method) -> Method:
        @wraps(method)
        def guarded(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
            key = request.headers.get("Idempotency-Key")
            if key is None:
                return method(view, request, *args, **kwargs)
            if not _KEY.fullmatch(key):
                raise ValidationError({"Idempotency-Key": "Use 1 to 200 printable ASCII letters, no spaces."})
            return _once(key, request, lambda: method(view, request, *args, **kwargs), keep)

        return guarded

    return decorate


def _once(key: str, request: Request, work: Callable[[], Response], keep: bool) -> Response:
    claim = claim_key(actor=actor_of(request), key=key, fingerprint=_fingerprint(request))
    if claim.status is not None and claim.answer is not None:
        return Response(claim.answer, status=claim.status, headers={"Idempotent-Replayed": "true"})
    try:
        response = work()
    except BaseException:
        release_key(claim=claim)
        raise
    answer = json.loads(JSONRenderer().render(response.data)) if keep else None
    store_answer(claim=claim, status=response.status_code, answer=answer)
    return response


def _fingerprint(request: Request) -> str:
    """Return the SHA-256 of method, address and content; multipart boundaries and file names do not count."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    for part in _parts(request.data):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def _parts(data: Any) -> Iterator[bytes]:
    if not isinstance(data, QueryDict):
        yield json.dumps(data, sort_keys=True).encode()
        return
    for name, values in sorted(data.lists()):
        yield name.encode()
        for value in values:
            yield _content(value) if isinstance(value, UploadedFile) else str(value).encode()


def _content(file: "UploadedFile[Any]") -> bytes:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.digest()
