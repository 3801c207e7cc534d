"""The page of last resort: something of ours went wrong. It asks no database and names the request."""

from django.http import HttpRequest, HttpResponseServerError
from django.template.loader import render_to_string


def server_error(request: HttpRequest) -> HttpResponseServerError:
    """Say so, with the number under which the log tells what happened."""
    number = getattr(request, "request_id", "")
    return HttpResponseServerError(render_to_string("500.html", {"request_id": number}))
