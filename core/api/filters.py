"""Strict API filters: unknown names and values are errors, so that a typo never shows everything."""

from collections.abc import Sequence, Set
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import QueryDict
from django_filters.rest_framework import DjangoFilterBackend
from django_filters.utils import translate_validation
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

_PAGING = {"cursor", "page_size"}


def check_query(
    sent: QueryDict,
    known: Sequence[str],
    *,
    kind: str,
    others: Set[str] = frozenset(),
    may_be_empty: Set[str] = frozenset(),
) -> None:
    """Refuse names that are neither `known` nor among `others`, and names without a value.

    Raises ValidationError naming one; `kind` is the word for them in its sentence.
    """
    for name in set(sent) - set(known) - others:
        raise ValidationError({name: f"There is no such {kind}. There are {', '.join(known)}."})
    for name, value in sent.items():
        if not value and name not in may_be_empty:
            raise ValidationError({name: f"This {kind} has no value. Give it one, or leave it out."})


class StrictFilterBackend(DjangoFilterBackend):  # type: ignore[misc]  # the library has no types
    """Filters by the view's filterset and refuses other parameters."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        """Return the narrowed queryset; raises ValidationError naming the parameter."""
        if view.detail:  # one object is asked for by its id, not by filters
            return queryset
        filterset = self.get_filterset(request, queryset, view)
        if filterset is None:
            return queryset
        texts = {
            name for name, one in filterset.filters.items() if isinstance(one, django_filters.CharFilter)
        }
        check_query(
            request.query_params, sorted(filterset.filters), kind="filter", others=_PAGING, may_be_empty=texts
        )
        if not filterset.is_valid():
            raise translate_validation(filterset.errors)
        narrowed: QuerySet[Any] = filterset.qs
        return narrowed
