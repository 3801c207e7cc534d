"""The endpoint for Prometheus: 404 unless METRICS_TOKEN is set, then open to whoever sends the token."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from operations.metrics import metrics_text

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Return all metrics; 404 while no token is set, 401 for a request without it."""
    if not settings.METRICS_TOKEN:
        raise Http404
    if not constant_time_compare(
        request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"
    ):
        sentence = "Send the METRICS_TOKEN of this installation as a bearer token.\n"
        return HttpResponse(
            sentence, status=401, content_type="text/plain", headers={"WWW-Authenticate": "Bearer"}
        )
    return HttpResponse(metrics_text(), content_type=MEDIA_TYPE)
