"""Builds the OpenAPI description: errors as problems, the disclaimer in every answer."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiExample
from drf_standardized_errors.openapi import AutoSchema
from rest_framework import serializers

from core.api.problem import MEDIA_TYPE, ProblemSerializer

Schema = dict[str, Any]
_METHODS = ("get", "post", "put", "patch", "delete")


class ProblemAutoSchema(AutoSchema):
    """Describes errors as they are sent: problems, in their own media type."""

    def _get_error_response_serializer(self, status_code: str) -> type[serializers.Serializer[Any]]:
        return ProblemSerializer

    def _should_add_http403_error_response(self) -> bool:
        # A token with other scopes is refused wherever a token is required.
        parent: Any = super()  # the library has no types
        return bool(parent._should_add_http403_error_response() or self._should_add_http401_error_response())

    def _get_error_response_examples(self) -> list[OpenApiExample]:
        return []

    def _get_response_for_code(
        self,
        serializer: Any,
        status_code: str,
        media_types: list[str] | None = None,
        direction: str = "response",
    ) -> Schema:
        is_problem = serializer is ProblemSerializer
        types = [MEDIA_TYPE] if is_problem else media_types
        parent: Any = super()  # the library has no types
        described: Schema = parent._get_response_for_code(serializer, status_code, types, direction)
        return described


def add_disclaimer(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """Add to every described JSON answer the disclaimer that the renderer adds."""
    components = result.setdefault("components", {}).setdefault("schemas", {})
    components["Disclaimed"] = {
        "type": "object",
        "properties": {"disclaimer": {"type": "string", "enum": [settings.DISCLAIMER]}},
        "required": ["disclaimer"],
    }
    reference = {"$ref": "#/components/schemas/Disclaimed"}
    for path in result["paths"].values():
        for method in _METHODS:
            for response in path.get(method, {}).get("responses", {}).values():
                body = response.get("content", {}).get("application/json")
                if body is not None:
                    body["schema"] = {"allOf": [body["schema"], reference]}
    return result
