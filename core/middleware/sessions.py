"""Renews sessions by activity of people, not by polling pages or monitoring probes."""

import time

from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

# What open pages poll or load for their frame: if it renewed the session, that would never end.
POLLED_BY_PAGES = {"study-states", "study-status", "batch-status", "notification-bell", "system-banner"}
# These belong to a page that renews the session: a write for each would make them wait for each other.
PICTURES = {"study-thumbnail", "study-display"}
PROBES = {"health", "healthz", "readyz", "metrics"}

# A session is renewed at most this often, so that not every page writes; it may end this much early.
RENEWAL_SECONDS = 60
_RENEWED_AT = "prolonged_at"


class SessionRenewalMiddleware(SessionMiddleware):
    """Django's sessions, renewed once a minute by requests that a person made.

    Probes never touch the session: they answer without the database, whatever cookie they carry.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Store and renew the session where that is due."""
        match = request.resolver_match
        name = match.view_name if match is not None else ""
        # After an error nothing is stored: the database may be unreachable.
        if name in PROBES or response.status_code >= 500:
            return response
        if not request.session.modified and (
            name in POLLED_BY_PAGES | PICTURES or _recently_renewed(request)
        ):
            patch_vary_headers(response, ("Cookie",))
            return response
        if not request.session.is_empty():
            request.session[_RENEWED_AT] = int(time.time())
        return super().process_response(request, response)


def _recently_renewed(request: HttpRequest) -> bool:
    renewed_at: int = request.session.get(_RENEWED_AT, 0)
    return 0 <= time.time() - renewed_at < RENEWAL_SECONDS
