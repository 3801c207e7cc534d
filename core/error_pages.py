"""The pages of last resort: something of ours went wrong, or the database is gone. They ask no database."""

import sys

from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers

from core.database_errors import RETRY_AFTER_SECONDS, says_database_is_gone


def server_error(request: HttpRequest) -> HttpResponse:
    """Say so, with the number under which the log tells what happened; called while the error is handled."""
    number = getattr(request, "request_id", "")
    if says_database_is_gone(sys.exc_info()[1]):
        return _database_gone(request, number)
    return HttpResponseServerError(render_to_string("500.html", {"request_id": number}))


def _database_gone(request: HttpRequest, number: str) -> HttpResponse:
    """Answer 503: what was sent is not stored, and when to try again."""
    again = request.get_full_path() if request.method in ("GET", "HEAD") else ""
    context = {"request_id": number, "again": again, "seconds": RETRY_AFTER_SECONDS}
    response = HttpResponse(render_to_string("503.html", context), status=503)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    add_never_cache_headers(response)
    return response
