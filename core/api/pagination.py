"""Keyset pagination: deep pages cost no more than the first."""

from typing import Any

from django.core.exceptions import ValidationError as InvalidValue
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

LARGEST_PAGE = 100


class KeysetPagination(CursorPagination):
    """Newest first, 25 a page, at most 100. Follow `next` until it is null."""

    page_size = 25
    page_size_query_param = "page_size"
    max_page_size = LARGEST_PAGE
    ordering = "-pk"

    def get_page_size(self, request: Request) -> int:
        """Return the page's length; raises ValidationError for a wrong one."""
        given = request.query_params.get("page_size")
        if given is None:
            return self.page_size
        if not given.isascii() or not given.isdigit() or not 1 <= int(given[:6]) <= LARGEST_PAGE:
            raise ValidationError({"page_size": f"Give a whole number from 1 to {LARGEST_PAGE}."})
        return int(given)

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:
        """Let a view order by its own unique keys, `keyset`."""
        return tuple(getattr(view, "keyset", ("-pk",)))

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        """Return one page; raises NotFound for a cursor that this list did not issue."""
        try:
            page: list[Any] | None = super().paginate_queryset(queryset, request, view)
        except (InvalidValue, ValueError) as error:
            raise NotFound(self.invalid_cursor_message) from error
        return page
