"""When a request counts as a sign of its person: not when a page asks by itself, nor when a monitor does."""

import time

from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

# What open pages ask every few seconds, or for their frame: were it a sign, a session would never end.
ASKED_BY_PAGES = {"study-states", "study-status", "batch-status", "notification-bell", "system-banner"}
# These come with a page that was a sign: a write for each of them would make them wait for each other.
PICTURES = {"study-thumbnail", "study-display"}
PROBES = {"health", "healthz", "readyz", "metrics"}

# A session ends up to this much early, and a page needs no write of its own for it.
ONCE_IN_SECONDS = 60
_PROLONGED_AT = "prolonged_at"


class SignsOfLifeMiddleware(SessionMiddleware):
    """Django's sessions; each request prolongs one, once a minute, save those that nobody clicked for.

    Probes leave it alone altogether: they answer without the database, whatever cookie comes along.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Store and prolong the session where that is due."""
        match = request.resolver_match
        name = match.view_name if match is not None else ""
        # After an error nothing is stored, and the database may be gone: do not ask for it.
        if name in PROBES or response.status_code >= 500:
            return response
        if not request.session.modified and (name in ASKED_BY_PAGES | PICTURES or _just_prolonged(request)):
            patch_vary_headers(response, ("Cookie",))
            return response
        if not request.session.is_empty():
            request.session[_PROLONGED_AT] = int(time.time())
        return super().process_response(request, response)


def _just_prolonged(request: HttpRequest) -> bool:
    prolonged_at: int = request.session.get(_PROLONGED_AT, 0)
    return 0 <= time.time() - prolonged_at < ONCE_IN_SECONDS
