"""Every error of the API as application/problem+json (RFC 9457), with one sentence for people."""

import logging
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import UnreadablePostError
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler
from drf_standardized_errors.types import ErrorResponse
from rest_framework import exceptions, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.parsers import PayloadTooLarge
from core.database_errors import RETRY_AFTER_SECONDS, says_database_is_gone
from core.errors import NotReady, Refused
from core.http_status import status_of

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_SERVER_ERROR = "Something went wrong on the server. Tell an administrator the number of this request: {}."


class RefusedProblem(exceptions.APIException):
    """An expected refusal as an API error, with its status, code and sentence."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.message, refused.code)
        self.status_code = status_of(refused)
        if self.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            self.wait = RETRY_AFTER_SECONDS  # becomes Retry-After


class ProblemHandler(ExceptionHandler):
    """Turns refusals and Django's own request errors into API errors, and sends them as problems."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        """Map expected errors to an APIException; every other becomes a 500 without details."""
        if isinstance(exc, Refused):
            return RefusedProblem(exc)
        if says_database_is_gone(exc):
            logger.error("The database could not be used.", exc_info=exc)
            sentence = _("The database cannot be used at the moment. Try again in a moment.")
            return RefusedProblem(NotReady("database_unavailable", sentence))
        if isinstance(exc, RequestDataTooBig):
            return PayloadTooLarge("The request", settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        if isinstance(exc, (SuspiciousOperation, BadRequest, UnreadablePostError)):
            return exceptions.ParseError("The request could not be read. Check how it was sent.")
        converted: Exception = super().convert_known_exceptions(exc)
        return converted

    def get_response(self, exc: exceptions.APIException, data: dict[str, Any]) -> Response:
        """Answer with the problem's media type."""
        headers = self.get_headers(exc)
        return Response(data, status=exc.status_code, headers=headers, content_type=MEDIA_TYPE)


class ProblemFormatter(ExceptionFormatter):
    """Builds the problem's members: type, title, status, detail, code and errors."""

    def format_error_response(self, error_response: ErrorResponse) -> dict[str, Any]:
        """Return the problem; `errors` names the fields of a validation error and is empty otherwise."""
        status = self.exc.status_code
        invalid = isinstance(self.exc, exceptions.ValidationError)
        errors = error_response.errors if invalid else []
        return {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": self._detail(error_response),
            "code": "invalid" if invalid else self._code(error_response),
            "errors": [{"field": e.attr or "", "code": e.code, "detail": e.detail} for e in errors],
        }

    def _code(self, error_response: ErrorResponse) -> str:
        return error_response.errors[0].code if error_response.errors else "error"

    def _detail(self, error_response: ErrorResponse) -> str:
        if isinstance(self.exc, exceptions.ValidationError):
            return " ".join(_sentence(error.attr, error.detail) for error in error_response.errors)
        if self.exc.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
            return _SERVER_ERROR.format(getattr(self.context["request"], "request_id", "unknown"))
        detail = " ".join(error.detail for error in error_response.errors)
        if isinstance(self.exc, exceptions.NotAuthenticated) or _is_token_error(self.exc):
            return f"{detail} Get a token at {reverse('api-login')}."
        return detail


def _sentence(field: str | None, detail: str) -> str:
    return detail if field in (None, "", "non_field_errors") else f"{field}: {detail}"


def _is_token_error(exc: exceptions.APIException) -> bool:
    return isinstance(exc, exceptions.AuthenticationFailed) and exc.get_codes() == "authentication_failed"


class FieldErrorSerializer(serializers.Serializer[Any]):
    """One field of the request that is not right."""

    field = serializers.CharField(help_text="The field's name; empty when it concerns several.")
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """An error as RFC 9457 describes it, with a code for programs and a sentence for people."""

    type = serializers.CharField(help_text="Always about:blank: the title explains the status.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What happened, and what to do about it.")
    code = serializers.CharField(help_text="Stable; for programs.")
    errors = FieldErrorSerializer(many=True)  # type: ignore[assignment]  # the member that RFC 9457 users expect
    disclaimer = serializers.CharField()


class UnknownAddress(APIView):
    """Answers every address under /api/ that is not there, whatever the method."""

    schema = None
    authentication_classes = []
    permission_classes = [AllowAny]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse before a method is looked up, so that no method is "not allowed" here."""
        hint = "" if request.path.endswith("/") else " Addresses end with a slash."
        raise exceptions.NotFound(f"There is nothing at this address.{hint} See {reverse('api-docs')}.")
