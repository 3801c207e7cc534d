"""POST /predict as the first version had it: send a film, wait, get diagnosis and Grad-CAM in one answer."""

import base64
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.tokens import UPLOAD
from core.api.actor import actor_of
from core.api.idempotency import IDEMPOTENCY_KEY, KEY_REFUSALS, idempotent
from core.api.links import absolute
from core.api.problem import ProblemSerializer
from core.errors import Conflict, NotReady, Refused, Unprocessable
from diagnosis.api.serializers import confidence_of, diagnosis_of
from diagnosis.api.submissions import BODIES, submit
from diagnosis.inference.failures import FAILURES
from diagnosis.inference.requests import request_prediction
from diagnosis.inference.wait import wait_until_finished
from diagnosis.intake.submission import Submission
from diagnosis.models import Prediction
from diagnosis.results.rendering import OVERLAY, render_picture
from diagnosis.studies.access import record_download
from diagnosis.studies.blinding import as_seen_by, check_shown

_OUR_FAULT = {"film_missing", "model_refused"}


class ResultSerializer(serializers.Serializer[Any]):
    """A finished prediction."""

    diagnosis = serializers.ChoiceField(choices=["PNEUMONIA", "NORMAL"])
    confidence = serializers.FloatField(help_text="Calibrated probability of the diagnosis given, 0 to 1.")
    raw_score = serializers.FloatField(help_text="The network's sigmoid output for pneumonia, 0 to 1.")
    status = serializers.ChoiceField(choices=["success"])
    gradcam_available = serializers.BooleanField()
    gradcam = serializers.CharField(
        help_text="PNG as base64: regions that raised the score, laid over the film."
    )
    calibrated_probability = serializers.FloatField(help_text="Calibrated probability of pneumonia, 0 to 1.")
    threshold = serializers.FloatField(help_text="PNEUMONIA from this calibrated probability upwards.")
    borderline = serializers.BooleanField(help_text="Within the model card's band around the threshold.")
    model_version = serializers.CharField()
    study = serializers.URLField(help_text="The study's address.")
    study_id = serializers.UUIDField()


class QueuedSerializer(serializers.Serializer[Any]):
    """A film that is stored and will be read; look at the study later."""

    status = serializers.ChoiceField(choices=["queued"])
    detail = serializers.CharField()
    study = serializers.URLField()
    study_id = serializers.UUIDField()


class PredictView(APIView):
    """Send one film and wait for its result."""

    throttle_scope = "upload"
    change_scope = UPLOAD

    @extend_schema(
        operation_id="predict",
        summary="Send one film and wait for its result",
        parameters=[IDEMPOTENCY_KEY],
        request=BODIES,
        responses={
            200: ResultSerializer,
            202: QueuedSerializer,
            413: ProblemSerializer,
            503: ProblemSerializer,
            **KEY_REFUSALS,  # 422 is also a film that could not be analysed
        },
    )
    @idempotent(keep=False)
    def post(self, request: Request) -> Response:
        """Answer 200 with the result, or 202 when it takes longer than PREDICT_WAIT_SECONDS."""
        submission = submit(request, answers_with_result=True)
        prediction = wait_until_finished(
            prediction=_prediction_for(request, submission), seconds=settings.PREDICT_WAIT_SECONDS
        )
        if prediction.status == Prediction.Status.FAILED:
            raise _unsuccessful(prediction.failure_code)
        if prediction.status != Prediction.Status.SUCCEEDED:
            return Response(_queued(request, prediction), status=202)
        check_shown(as_seen_by(request.user, prediction.study))
        answer = _result(request, prediction)
        record_download(actor=actor_of(request), study=prediction.study, kind=OVERLAY)
        return Response(answer)


def _unsuccessful(failure_code: str) -> Refused:
    """Return why an accepted film has no result: the installation's fault (503) or the film's (422)."""
    kind = NotReady if failure_code in _OUR_FAULT else Unprocessable
    return kind(failure_code, FAILURES.get(failure_code, "The film could not be read."))


def _prediction_for(request: Request, submission: Submission) -> Prediction:
    """Return the active model's prediction; a known film that it has not analysed is queued again."""
    if submission.created:
        return submission.prediction
    try:
        return request_prediction(actor=actor_of(request), study=submission.study)
    except Conflict:
        live = Prediction.objects.filter(study=submission.study).exclude(status=Prediction.Status.FAILED)
        return live.order_by("-pk").first() or submission.prediction


def _where(request: Request, prediction: Prediction) -> dict[str, Any]:
    uid = prediction.study.uid
    return {"study": absolute(request, "api-study-detail", uid=uid), "study_id": str(uid)}


def _queued(request: Request, prediction: Prediction) -> dict[str, Any]:
    detail = "The film is stored and will be read as soon as a worker is free. Look at the study later."
    return {"status": "queued", "detail": detail, **_where(request, prediction)}


def _result(request: Request, prediction: Prediction) -> dict[str, Any]:
    return {
        "diagnosis": diagnosis_of(prediction),
        "confidence": confidence_of(prediction),
        "raw_score": prediction.probability,
        "status": "success",
        "gradcam_available": True,
        "gradcam": base64.b64encode(render_picture(prediction=prediction, kind=OVERLAY)).decode("ascii"),
        "calibrated_probability": prediction.calibrated_probability,
        "threshold": prediction.model_version.threshold,
        "borderline": prediction.is_borderline,
        "model_version": prediction.model_version.version,
        **_where(request, prediction),
    }
