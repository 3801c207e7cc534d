"""When a request counts as a sign of its person: not when a page asks by itself, nor when a monitor does."""

from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

# What open pages ask every few seconds, or for their frame: were it a sign, a session would never end.
ASKED_BY_PAGES = {"study-states", "study-status", "batch-status", "notification-bell", "system-banner"}
# These come with a page that was a sign: a write for each of them would make them wait for each other.
PICTURES = {"study-thumbnail", "study-display"}
PROBES = {"health", "healthz", "readyz", "metrics"}


class SignsOfLifeMiddleware(SessionMiddleware):
    """Django's sessions; each request prolongs one, save those that nobody clicked for.

    Probes leave it alone altogether: they answer without the database, whatever cookie comes along.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Store and prolong the session where that is due."""
        match = request.resolver_match
        name = match.view_name if match is not None else ""
        # After an error nothing is stored, and the database may be gone: do not ask for it.
        if name in PROBES or response.status_code >= 500:
            return response
        if name in ASKED_BY_PAGES | PICTURES and not request.session.modified:
            patch_vary_headers(response, ("Cookie",))
            return response
        return super().process_response(request, response)
