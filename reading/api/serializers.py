"""What the API shows and takes of reviews, and of studies with their reviews."""

from typing import Any

from django.contrib.auth.models import User
from django.core.validators import MaxValueValidator, MinValueValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from diagnosis.api.serializers import PredictionSerializer, StudySerializer
from diagnosis.models import Prediction, Study
from reading.models import Review
from reading.review import MAX_COMMENT


class ReviewSerializer(serializers.ModelSerializer[Review]):
    """One reader's opinion at one moment; `is_current` is false once they gave a later one."""

    id = serializers.UUIDField(source="uid", read_only=True)
    study = serializers.SlugRelatedField[Study](slug_field="uid", read_only=True)
    prediction = serializers.SlugRelatedField[Prediction](
        slug_field="uid", read_only=True, allow_null=True, help_text="The AI result they had before them."
    )
    reader = serializers.SlugRelatedField[User](slug_field="username", read_only=True)
    supersedes = serializers.SlugRelatedField[Review](slug_field="uid", read_only=True, allow_null=True)

    class Meta:
        model = Review
        fields = [
            "id",
            "study",
            "prediction",
            "reader",
            "finding",
            "confidence",
            "agrees_with_ai",
            "comment",
            "supersedes",
            "is_current",
            "created_at",
        ]
        read_only_fields = fields


class NewReviewSerializer(serializers.Serializer[Any]):
    """The fields of a review that is sent in."""

    study = serializers.UUIDField()
    finding = serializers.ChoiceField(choices=Review.Finding.choices)
    confidence = serializers.IntegerField(
        validators=[MinValueValidator(0), MaxValueValidator(100)], help_text="How sure you are, 0 to 100."
    )
    agrees_with_ai = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Needed where the AI has a result."
    )
    comment = serializers.CharField(required=False, allow_blank=True, default="", max_length=MAX_COMMENT)


class ReviewedStudySerializer(StudySerializer):
    """One study with its newest prediction and every review."""

    prediction = serializers.SerializerMethodField(help_text="The newest prediction.")
    reviews = serializers.SerializerMethodField(help_text="Every review, newest first.")

    class Meta(StudySerializer.Meta):
        fields = [*StudySerializer.Meta.fields, "prediction", "reviews"]
        read_only_fields = fields

    @extend_schema_field(PredictionSerializer(allow_null=True))
    def get_prediction(self, study: Study) -> dict[str, Any] | None:
        """Return the newest prediction."""
        newest = study.newest_prediction
        return dict(PredictionSerializer(newest, context=self.context).data) if newest else None

    @extend_schema_field(ReviewSerializer(many=True))
    def get_reviews(self, study: Study) -> list[dict[str, Any]]:
        """Return the reviews, superseded ones included."""
        reviews = Review.objects.filter(study=study).select_related(
            "study", "prediction", "reader", "supersedes"
        )
        return list(ReviewSerializer(reviews, many=True, context=self.context).data)
