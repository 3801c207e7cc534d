"""API views of films with their reviews, and of reviews."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from accounts.api.auth import LockedOut
from accounts.reauthentication import TooManyPasswords, confirm_password
from accounts.tokens import REVIEW
from core.api.actor import actor_of
from core.api.filters import StrictFilterBackend
from core.api.idempotency import IDEMPOTENCY_KEY, KEY_REFUSALS, idempotent
from core.api.pagination import KeysetPagination
from core.api.problem import ProblemSerializer
from diagnosis.api.serializers import StudySerializer
from diagnosis.api.studies import StudyViewSet
from diagnosis.models import Study
from reading.api.filters import ReviewedStudyFilter, ReviewFilter
from reading.api.serializers import (
    NewReviewSerializer,
    ReviewedStudySerializer,
    ReviewSerializer,
    SignatureSerializer,
)
from reading.models import Review
from reading.reviews.service import review_study, sign_review


class ReviewedStudyViewSet(StudyViewSet):
    """Chest films of the caller's projects, with what readers said about them."""

    filterset_class = ReviewedStudyFilter

    def get_serializer_class(self) -> type[StudySerializer]:
        """Give prediction and reviews where one study is asked for."""
        return ReviewedStudySerializer if self.action == "retrieve" else StudySerializer


@extend_schema_view(
    list=extend_schema(summary="List reviews, newest first"),
    retrieve=extend_schema(summary="Show one review"),
)
class ReviewViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Review]):
    """Readers' opinions on the films that the caller may see. Nothing is ever overwritten."""

    queryset = Review.objects.none()
    change_scope = REVIEW
    serializer_class = ReviewSerializer
    pagination_class = KeysetPagination
    filter_backends = [StrictFilterBackend]
    filterset_class = ReviewFilter
    lookup_field = "uid"
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Review]:
        """Return the reviews that the caller may see; where the AI is hidden from them, their own alone."""
        reviews = Review.objects.visible_to(self.request.user)
        return reviews.select_related("study", "prediction", "reader", "supersedes", "addendum_to")

    def get_throttles(self) -> list[BaseThrottle]:
        """Limit writing, not reading."""
        if self.request.method == "POST":
            self.throttle_scope = "upload"
        return super().get_throttles()

    @extend_schema(
        summary="Review a study (readers)",
        parameters=[IDEMPOTENCY_KEY],
        request=NewReviewSerializer,
        responses={201: ReviewSerializer, 404: ProblemSerializer, **KEY_REFUSALS},
        filters=False,
    )
    @idempotent()
    def create(self, request: Request) -> Response:
        """Add the caller's opinion as a draft; an earlier one of theirs is superseded and kept."""
        serializer = NewReviewSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields = serializer.validated_data
        study = get_object_or_404(Study.objects.visible_to(request.user), uid=fields.pop("study"))
        review = review_study(actor=actor_of(request), study=study, **fields)
        return Response(self._answer(review), status=201)

    @extend_schema(
        summary="Sign one's own draft, with the password again",
        request=SignatureSerializer,
        responses={
            200: ReviewSerializer,
            404: ProblemSerializer,
            409: ProblemSerializer,
        },
        filters=False,
    )
    @action(detail=True, methods=["post"])
    def sign(self, request: Request, uid: str) -> Response:
        """Make the draft final as it stands; from then on the caller may see the AI result of the film."""
        review = self.get_object()
        serializer = SignatureSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        _confirm(request, serializer.validated_data["password"])
        sign_review(actor=actor_of(request), review=review)
        return Response(self._answer(review))

    def _answer(self, review: Review) -> dict[str, Any]:
        """Return the review as the caller may see it now."""
        return dict(ReviewSerializer(self.get_queryset().get(pk=review.pk)).data)


def _confirm(request: Request, password: str) -> None:
    try:
        confirm_password(request._request, actor_of(request), password)
    except TooManyPasswords as locked:
        raise LockedOut from locked
