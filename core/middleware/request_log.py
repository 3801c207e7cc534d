"""Gives each request an id, a log line and a count."""

import logging
import re
import time
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.encoding import escape_uri_path

from core.middleware import request_id as request_ids
from core.request_metrics import ANSWERED, SECONDS

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
# Only digits as a proxy generates them: free text would let visitors write into the log.
_WELL_FORMED = re.compile(r"[0-9A-Fa-f-]{8,64}")
_PROBES = {"/health", "/healthz", "/readyz", "/metrics"}


class RequestMiddleware:
    """Sets the request's `request_id` and the answer's header; comes before all other middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on, then log and count its answer."""
        sent = request.headers.get(HEADER, "")
        request_id = sent if _WELL_FORMED.fullmatch(sent) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        before = request_ids.current.set(request_id)
        began = time.monotonic()
        try:
            response = self.get_response(request)
            response.headers[HEADER] = request_id
            _log(request, response.status_code, time.monotonic() - began)
        finally:
            request_ids.current.reset(before)
        return response


def _log(request: HttpRequest, status: int, seconds: float) -> None:
    """Log method, path, status and time; not the query, which holds what people search for."""
    method = request.method if request.method in _METHODS else "OTHER"
    path, route = escape_uri_path(request.path), _route(request)
    ANSWERED.labels(method, route, str(status)).inc()
    SECONDS.observe(seconds)
    quiet = status < 400 and (request.path in _PROBES or request.path.startswith(settings.STATIC_URL))
    facts = {"method": method, "path": path, "route": route, "status": status}
    facts["milliseconds"] = round(1000 * seconds)
    logger.log(
        logging.DEBUG if quiet else logging.INFO,
        "%s %s %d in %d ms",
        *(method, path, status, facts["milliseconds"]),
        extra=facts,
    )


_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def _route(request: HttpRequest) -> str:
    """Return the route's name, not the path, so that the counters do not grow with every film."""
    match = request.resolver_match
    return match.view_name or "unnamed" if match is not None else "none"
