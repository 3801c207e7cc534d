"""API serialisers of reviews, and of films with their reviews."""

from typing import Any

from django.contrib.auth.models import User
from django.core.validators import MaxValueValidator, MinValueValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from diagnosis.api.serializers import PredictionSerializer, StudySerializer
from diagnosis.models import Prediction, Study, newest_prediction
from reading.models import Adjudication, FilmTag, Note, Review, films_with_opinions
from reading.region import Region
from reading.reviews.service import MAX_COMMENT


class RegionSerializer(serializers.Serializer[Region]):
    """A rectangle on the film, in shares of its width and height, from the top left corner."""

    x = serializers.FloatField(min_value=0, max_value=1)
    y = serializers.FloatField(min_value=0, max_value=1)
    width = serializers.FloatField(min_value=0, max_value=1)
    height = serializers.FloatField(min_value=0, max_value=1)


class ReviewSerializer(serializers.ModelSerializer[Review]):
    """One reader's opinion at one moment; `is_current` is false once they gave a later one."""

    id = serializers.UUIDField(source="uid", read_only=True)
    study = serializers.SlugRelatedField[Study](slug_field="uid", read_only=True)
    prediction = serializers.SlugRelatedField[Prediction](
        slug_field="uid", read_only=True, allow_null=True, help_text="The AI result they had before them."
    )
    reader = serializers.SlugRelatedField[User](slug_field="username", read_only=True)
    region = RegionSerializer(read_only=True, allow_null=True)
    supersedes = serializers.SlugRelatedField[Review](slug_field="uid", read_only=True, allow_null=True)
    addendum_to = serializers.SlugRelatedField[Review](
        slug_field="uid",
        read_only=True,
        allow_null=True,
        help_text="The same reader's signed read that this adds to.",
    )
    signed_at = serializers.DateTimeField(read_only=True, allow_null=True, help_text="Null for a draft.")

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
            "region",
            "open_seconds",
            "active_seconds",
            "supersedes",
            "addendum_to",
            "is_current",
            "created_at",
            "signed_at",
        ]
        read_only_fields = fields

    def to_representation(self, instance: Review) -> dict[str, Any]:
        """Return the fields; without prediction and agreement where the AI result is withheld now."""
        data = super().to_representation(instance)
        return {**data, "prediction": None, "agrees_with_ai": None} if instance.ai_hidden else data


class NewReviewSerializer(serializers.Serializer[Any]):
    """The fields of a review that is sent in."""

    study = serializers.UUIDField()
    finding = serializers.ChoiceField(choices=Review.Finding.choices)
    confidence = serializers.IntegerField(
        validators=[MinValueValidator(0), MaxValueValidator(100)], help_text="How sure you are, 0 to 100."
    )
    agrees_with_ai = serializers.BooleanField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Needed exactly where the AI has a result that you may see.",
    )
    comment = serializers.CharField(required=False, allow_blank=True, default="", max_length=MAX_COMMENT)
    region = RegionSerializer(required=False, allow_null=True, default=None)

    def validate_region(self, value: dict[str, float] | None) -> Region | None:
        """Build a region from the four numbers."""
        return None if value is None else Region(**value)


class SignatureSerializer(serializers.Serializer[Any]):
    """What signing needs."""

    password = serializers.CharField(
        max_length=4096,
        trim_whitespace=False,
        write_only=True,
        style={"input_type": "password"},
        help_text="Your password again.",
    )


class TagOnFilmSerializer(serializers.Serializer[FilmTag]):
    """A tag that somebody put on the film."""

    name = serializers.CharField(source="tag.name")
    put_by = serializers.CharField(source="author.username")
    put_at = serializers.DateTimeField()


class NoteSerializer(serializers.Serializer[Note]):
    """A note about the film."""

    text = serializers.CharField()
    written_by = serializers.CharField(source="author.username")
    written_at = serializers.DateTimeField()


class AdjudicationSerializer(serializers.Serializer[Adjudication]):
    """The decision where signed reads of the film differ."""

    id = serializers.UUIDField(source="uid")
    finding = serializers.ChoiceField(choices=Review.Finding.choices)
    basis = serializers.ChoiceField(choices=Adjudication.Basis.choices)
    rationale = serializers.CharField()
    adjudicator = serializers.CharField(source="adjudicator.username")
    decided_at = serializers.DateTimeField()


class ReviewedStudySerializer(StudySerializer):
    """One study with its newest prediction, every review, and what else was said about it."""

    prediction = serializers.SerializerMethodField(help_text="The newest prediction.")
    reviews = serializers.SerializerMethodField(help_text="The reviews that you may see, newest first.")

    adjudication = serializers.SerializerMethodField(
        help_text="The newest decision; null while there is none, or while others' reads are withheld."
    )
    tags = serializers.SerializerMethodField(help_text="The tags on it that you may see.")
    notes = serializers.SerializerMethodField(help_text="The notes that you may see, oldest first.")

    class Meta(StudySerializer.Meta):
        fields = [*StudySerializer.Meta.fields, "prediction", "reviews", "adjudication", "tags", "notes"]
        read_only_fields = fields

    @extend_schema_field(PredictionSerializer(allow_null=True))
    def get_prediction(self, study: Study) -> dict[str, Any] | None:
        """Return the newest prediction."""
        newest = newest_prediction(study)
        if newest is not None:
            newest.ai_hidden = study.ai_hidden
        return dict(PredictionSerializer(newest, context=self.context).data) if newest else None

    @extend_schema_field(ReviewSerializer(many=True))
    def get_reviews(self, study: Study) -> list[dict[str, Any]]:
        """Return the reviews that the caller may see, superseded ones included."""
        visible = Review.objects.visible_to(self.context["request"].user).filter(study=study)
        reviews = visible.select_related("study", "prediction", "reader", "supersedes", "addendum_to")
        return list(ReviewSerializer(reviews, many=True, context=self.context).data)

    @extend_schema_field(AdjudicationSerializer(allow_null=True))
    def get_adjudication(self, study: Study) -> dict[str, Any] | None:
        """Return the newest decision, unless others' reads are withheld."""
        shown = films_with_opinions(self.context["request"].user).filter(pk=study.pk)
        decisions = Adjudication.objects.filter(study__in=shown.values("pk")).select_related("adjudicator")
        decision = decisions.order_by("-pk").first()
        return dict(AdjudicationSerializer(decision).data) if decision else None

    @extend_schema_field(TagOnFilmSerializer(many=True))
    def get_tags(self, study: Study) -> list[dict[str, Any]]:
        """Return the tags that the caller may see."""
        put: Any = FilmTag.objects.filter(study=study).visible_to(self.context["request"].user)
        return list(TagOnFilmSerializer(put.select_related("tag", "author"), many=True).data)

    @extend_schema_field(NoteSerializer(many=True))
    def get_notes(self, study: Study) -> list[dict[str, Any]]:
        """Return the notes that the caller may see."""
        written: Any = Note.objects.filter(study=study).visible_to(self.context["request"].user)
        return list(NoteSerializer(written.select_related("author"), many=True).data)
