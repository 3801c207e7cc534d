"""Redirects the whole page to sign-in when htmx requests a part of it without a session."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.cache import add_never_cache_headers

_NO_CONTENT = 204


class HtmxLoginMiddleware:
    """Answers htmx with HX-Redirect where a page would be redirected to the sign-in page.

    The browser would follow the redirect itself, and htmx would insert the sign-in form into the page.
    Must come after AuthenticationMiddleware and HtmxMiddleware.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; change nothing but a redirect of htmx to the sign-in page."""
        response = self.get_response(request)
        if not request.htmx or not _leads_to_sign_in(response):  # type: ignore[attr-defined]
            return response
        address = redirect_to_login(_next_page(request)).url
        whole_page = HttpResponse(status=_NO_CONTENT, headers={"HX-Redirect": address})
        add_never_cache_headers(whole_page)
        return whole_page


def _leads_to_sign_in(response: HttpResponse) -> bool:
    return response.headers.get("Location", "").partition("?")[0] == resolve_url(settings.LOGIN_URL)


def _next_page(request: HttpRequest) -> str:
    """Return the page that sent the request; where it requested itself, with the query just typed."""
    page: str = request.htmx.current_url_abs_path or resolve_url(settings.LOGIN_REDIRECT_URL)  # type: ignore[attr-defined]
    same = request.method == "GET" and page.partition("?")[0] == request.path
    return request.get_full_path() if same else page
