"""Chooses the language of pages: the person's choice, else the cookie's, else the browser's."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from accounts.preferences import preferences_of

# Programs choose with Accept-Language alone, whatever the owner of their token prefers.
_FOR_PROGRAMS = ("/api/", "/predict", "/health", "/readyz")


class PersonsLanguageMiddleware:
    """Activates a signed-in person's stored language instead of the cookie's or the browser's.

    Must come after AuthenticationMiddleware and Django's LocaleMiddleware, which reads cookie and browser.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Activate the person's language where they chose one, and pass the request on."""
        if request.path.startswith(_FOR_PROGRAMS) or not request.user.is_authenticated:
            return self.get_response(request)
        language = preferences_of(request.user).language
        if not language:
            return self.get_response(request)
        request.LANGUAGE_CODE = language
        translation.activate(language)
        response = self.get_response(request)
        response.headers["Content-Language"] = language
        return response
