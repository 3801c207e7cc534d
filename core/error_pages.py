"""The pages for errors of ours and for an unreachable database; they need no database themselves."""

import sys

from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers

from core.database_errors import RETRY_AFTER_SECONDS, says_database_is_gone


def server_error(request: HttpRequest) -> HttpResponse:
    """Show the request's number, under which the log has the error; called while the error is handled."""
    number = getattr(request, "request_id", "")
    if says_database_is_gone(sys.exc_info()[1]):
        return _database_gone(request, number)
    return HttpResponseServerError(render_to_string("500.html", {"request_id": number}))


def _database_gone(request: HttpRequest, number: str) -> HttpResponse:
    """Answer 503, say that nothing was stored, and when to try again."""
    again = request.get_full_path() if request.method in ("GET", "HEAD") else ""
    context = {"request_id": number, "again": again, "seconds": RETRY_AFTER_SECONDS}
    response = HttpResponse(render_to_string("503.html", context), status=503)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    add_never_cache_headers(response)
    return response
