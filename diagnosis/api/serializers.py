"""Serializers of projects, model versions, predictions and films; docstrings are part of the API's schema."""

from collections.abc import Iterable, Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from core.api.links import absolute
from diagnosis.inference.failures import FAILURES
from diagnosis.models import ModelVersion, Prediction, Project, Site, Study, newest_prediction
from diagnosis.results.files import FILE_KINDS, RESULT_KINDS
from diagnosis.results.rendering import area_of, reference_strength
from diagnosis.studies.blinding import shown_prediction, shown_result
from pneumoml.decoding.dicom.record import LATERALITIES, MODALITIES, SEXES, VIEW_POSITIONS
from pneumoml.explain import reliability
from pneumoml.scope import gate


def diagnosis_of(prediction: Prediction) -> str:
    """Return PNEUMONIA or NORMAL, as the first version's API did."""
    return prediction.outcome.upper()


def confidence_of(prediction: Prediction) -> float | None:
    """Return the calibrated probability (0 to 1) of the class that was given; None without a result."""
    probability = prediction.calibrated_probability
    if probability is None:
        return None
    return probability if prediction.outcome == Prediction.Outcome.PNEUMONIA else 1 - probability


class SiteSerializer(serializers.ModelSerializer[Site]):
    """One centre of a project."""

    class Meta:
        model = Site
        fields = ["code", "name"]
        read_only_fields = fields


class ProjectSerializer(serializers.ModelSerializer[Project]):
    """A project that the caller works in, with its sites."""

    sites = SiteSerializer(many=True, read_only=True)

    class Meta:
        model = Project
        fields = ["slug", "name", "description", "open_to_all", "ai_visibility", "sites", "created_at"]


class ModelVersionSerializer(serializers.ModelSerializer[ModelVersion]):
    """One version of the network, without its card."""

    class Meta:
        model = ModelVersion
        fields = [
            "version",
            "architecture",
            "weights_sha256",
            "threshold",
            "borderline_low",
            "borderline_high",
            "state",
            "registered_at",
            "activated_at",
        ]


class ModelCardSerializer(ModelVersionSerializer):
    """One version of the network with its whole card."""

    card = serializers.DictField(read_only=True)

    class Meta(ModelVersionSerializer.Meta):
        fields = [*ModelVersionSerializer.Meta.fields, "card"]


class FailureSerializer(serializers.Serializer[Any]):
    """Why a prediction failed."""

    code = serializers.CharField()
    detail = serializers.CharField()


class FlagSerializer(serializers.Serializer[Any]):
    """One reason not to rely on a score or a map."""

    code = serializers.CharField()
    detail = serializers.CharField()


def _flags(codes: list[str] | None, sentences: Mapping[str, str]) -> list[dict[str, str]] | None:
    return None if codes is None else [{"code": code, "detail": sentences.get(code, "")} for code in codes]


# Of a withheld result only these are shown: which run it is and its progress, nothing about the film.
_PROGRESS_FIELDS = {
    "id",
    "study",
    "status",
    "model_version",
    "threshold",
    "ai_hidden",
    "failure",
    "attempts",
    "queued_at",
    "started_at",
    "finished_at",
}
AI_HIDDEN_HELP = (
    "True while the project hides the AI result from you, until you have signed your own read. Everything "
    "that the result says is null then."
)


class PredictionSerializer(serializers.ModelSerializer[Prediction]):
    """One run of one model version on one film; the numbers are null until it has succeeded.

    The prediction comes with its `ai_hidden`, as `ai_hidden_from` gives it; without, its result is withheld.
    """

    id = serializers.UUIDField(source="uid", read_only=True)
    study = serializers.SlugRelatedField[Study](slug_field="uid", read_only=True)
    model_version = serializers.SlugRelatedField[ModelVersion](slug_field="version", read_only=True)
    threshold = serializers.FloatField(
        source="model_version.threshold", read_only=True, help_text="For the calibrated probability."
    )
    raw_score = serializers.FloatField(
        source="probability",
        read_only=True,
        allow_null=True,
        help_text="The network's sigmoid output, 0 to 1.",
    )
    outcome = serializers.SerializerMethodField(help_text="Null until there is a result.")
    confidence = serializers.SerializerMethodField(help_text="Calibrated probability of the outcome, 0 to 1.")
    borderline = serializers.BooleanField(
        source="is_borderline",
        read_only=True,
        allow_null=True,
        help_text="Within the card's band around the threshold.",
    )
    layer = serializers.CharField(read_only=True, allow_null=True, help_text="Layer of the Grad-CAM map.")
    ai_hidden = serializers.BooleanField(read_only=True, help_text=AI_HIDDEN_HELP)
    scope_flags = serializers.SerializerMethodField(
        help_text="What puts the film out of scope of the model; empty: nothing found; null: not checked."
    )
    map_flags = serializers.SerializerMethodField(
        help_text="What makes the map unreliable; empty: nothing found; null: not checked."
    )
    failure = serializers.SerializerMethodField(help_text="Null unless the status is failed.")

    class Meta:
        model = Prediction
        fields = [
            "id",
            "study",
            "status",
            "model_version",
            "threshold",
            "outcome",
            "confidence",
            "calibrated_probability",
            "raw_score",
            "logit",
            "borderline",
            "layer",
            "cam_strength",
            "scope_flags",
            "map_flags",
            "ai_hidden",
            "failure",
            "attempts",
            "queued_at",
            "started_at",
            "finished_at",
            "precision",
            "preprocess_ms",
            "forward_ms",
        ]
        read_only_fields = fields

    def to_representation(self, instance: Prediction) -> dict[str, Any]:
        """Return the fields, those of a withheld result null."""
        data = super().to_representation(instance)
        if not instance.ai_hidden:
            return data
        return {name: value if name in _PROGRESS_FIELDS else None for name, value in data.items()}

    @extend_schema_field(serializers.ChoiceField(choices=Prediction.Outcome.choices, allow_null=True))
    def get_outcome(self, prediction: Prediction) -> str | None:
        """Return the outcome, or None without a result."""
        return prediction.outcome or None

    def get_confidence(self, prediction: Prediction) -> float | None:
        """Return the calibrated probability of the stated outcome."""
        return confidence_of(prediction)

    @extend_schema_field(FlagSerializer(many=True, allow_null=True))
    def get_scope_flags(self, prediction: Prediction) -> list[dict[str, str]] | None:
        """Return code and sentence of each finding of the scope gate."""
        return _flags(prediction.scope_flags, gate.SENTENCES)

    @extend_schema_field(FlagSerializer(many=True, allow_null=True))
    def get_map_flags(self, prediction: Prediction) -> list[dict[str, str]] | None:
        """Return code and sentence of each reason not to rely on the map."""
        return _flags(prediction.map_flags, reliability.SENTENCES)

    @extend_schema_field(FailureSerializer(allow_null=True))
    def get_failure(self, prediction: Prediction) -> dict[str, str] | None:
        """Return the failure's code and sentence."""
        if prediction.status != Prediction.Status.FAILED:
            return None
        sentence = FAILURES.get(prediction.failure_code, "The film could not be read.")
        return {"code": prediction.failure_code, "detail": str(sentence)}


class PredictionDetailSerializer(PredictionSerializer):
    """A prediction with its Grad-CAM map as numbers."""

    cam = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()),
        read_only=True,
        allow_null=True,
        help_text="Grad-CAM map of the regions that raised the score: rows of non-negative numbers.",
    )
    cam_reference = serializers.SerializerMethodField(
        help_text="Strength of a typical strong map of this model version, to compare cam_strength with."
    )

    cam_area = serializers.SerializerMethodField(
        help_text="The part of the film the map covers: left, top, right, bottom, as shares from 0 to 1."
    )

    class Meta(PredictionSerializer.Meta):
        fields = [*PredictionSerializer.Meta.fields, "cam", "cam_reference", "cam_area"]
        read_only_fields = fields

    @extend_schema_field(serializers.FloatField(allow_null=True))
    def get_cam_reference(self, prediction: Prediction) -> float:
        """Return the reference strength of the model version."""
        return reference_strength(prediction)

    @extend_schema_field(serializers.ListField(child=serializers.FloatField(), allow_null=True))
    def get_cam_area(self, prediction: Prediction) -> list[float]:
        """Return left, top, right and bottom of the part the map covers."""
        return list(area_of(prediction))


def _coded(codes: Iterable[Any]) -> serializers.ChoiceField:
    """Return a field of DICOM codes; "" is that of a film without one, which the model's choices lack."""
    return serializers.ChoiceField(choices=list(codes), allow_blank=True, read_only=True)


class StudySerializer(serializers.ModelSerializer[Study]):
    """A film with the state of its newest prediction and the addresses of everything that belongs to it."""

    id = serializers.UUIDField(source="uid", read_only=True)
    reference = serializers.CharField(read_only=True, help_text="The short name, like PW-000123.")
    project = serializers.SlugRelatedField[Project](slug_field="slug", read_only=True)
    site = serializers.CharField(
        source="site.code", read_only=True, default=None, allow_null=True, help_text="Code of the site."
    )
    uploaded_by = serializers.CharField(source="uploaded_by.username", read_only=True)
    status = serializers.SerializerMethodField()
    outcome = serializers.SerializerMethodField(help_text="Null until there is a result.")
    calibrated_probability = serializers.SerializerMethodField()
    borderline = serializers.SerializerMethodField()
    modality = _coded(MODALITIES.items())
    view_position = _coded(VIEW_POSITIONS)
    laterality = _coded(LATERALITIES)
    sex = _coded(SEXES)
    burned_in_text = _coded(Study.BurnedInText.choices)
    ai_hidden = serializers.BooleanField(read_only=True, help_text=AI_HIDDEN_HELP)
    links = serializers.SerializerMethodField()

    class Meta:
        model = Study
        fields = [
            "id",
            "reference",
            "project",
            "site",
            "subject_code",
            "status",
            "outcome",
            "calibrated_probability",
            "borderline",
            "ai_hidden",
            "source",
            "media_format",
            "byte_size",
            "width",
            "height",
            "modality",
            "view_position",
            "laterality",
            "row_spacing_mm",
            "column_spacing_mm",
            "spacing_at_detector",
            "age_years",
            "sex",
            "pseudonym",
            "deidentification",
            "burned_in_text",
            "bit_depth",
            "sha256",
            "uploaded_by",
            "created_at",
            "links",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=Prediction.Status.choices, allow_null=True))
    def get_status(self, study: Study) -> str | None:
        """Return the status of the newest prediction."""
        newest = newest_prediction(study)
        return newest.status if newest else None

    @extend_schema_field(serializers.ChoiceField(choices=Prediction.Outcome.choices, allow_null=True))
    def get_outcome(self, study: Study) -> str | None:
        """Return the outcome of the newest prediction."""
        newest = shown_prediction(study)
        return (newest.outcome or None) if newest else None

    def get_calibrated_probability(self, study: Study) -> float | None:
        """Return the calibrated probability of the newest prediction."""
        newest = shown_prediction(study)
        return newest.calibrated_probability if newest else None

    @extend_schema_field(serializers.BooleanField(allow_null=True))
    def get_borderline(self, study: Study) -> bool | None:
        """Return whether the newest result lies in the borderline band; None where it is withheld."""
        newest = shown_prediction(study)
        return None if study.ai_hidden else newest is not None and newest.is_borderline

    def get_links(self, study: Study) -> dict[str, str]:
        """Return full addresses; those of pictures of a result only where there is one to see."""
        request: Request = self.context["request"]
        links = {
            "self": absolute(request, "api-study-detail", uid=study.uid),
            "page": request.build_absolute_uri(study.get_absolute_url()),
            "predictions": absolute(request, "api-study-predictions", uid=study.uid),
        }
        has_result = shown_result(study) is not None
        for kind in FILE_KINDS:
            if has_result or kind not in RESULT_KINDS:
                links[kind.replace("-", "_")] = absolute(request, "api-study-file", uid=study.uid, kind=kind)
        return links


class SubmittedStudySerializer(StudySerializer):
    """A study as it is answered to its sender."""

    duplicate = serializers.SerializerMethodField(
        help_text="True when this film was in the project already; then nothing was stored."
    )

    class Meta(StudySerializer.Meta):
        fields = [*StudySerializer.Meta.fields, "duplicate"]
        read_only_fields = fields

    def get_duplicate(self, study: Study) -> bool:
        """Return whether the project had the film already, as the view says in the context."""
        return bool(self.context["duplicate"])
