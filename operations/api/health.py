"""Health, liveness and readiness of the installation, without signing in."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.database_errors import RETRY_AFTER_SECONDS
from core.version import API_VERSION
from diagnosis.inference.health import Health, check_health

HEALTH_STATUS = ["healthy", "degraded", "unhealthy"]
READINESS_STATUS = ["ready", "not ready"]


class HealthSerializer(serializers.Serializer[Any]):
    """How the parts are: worker, model, queue."""

    status = serializers.ChoiceField(choices=HEALTH_STATUS)
    model_loaded = serializers.BooleanField(help_text="A living worker has the active model loaded.")
    gradcam_enabled = serializers.BooleanField()
    api_version = serializers.CharField()
    model_version = serializers.CharField(allow_null=True)
    worker_alive = serializers.BooleanField()
    database = serializers.BooleanField()
    queue_waiting = serializers.IntegerField(help_text="Films that wait or are being read.")
    queue_oldest_seconds = serializers.FloatField()
    sentence = serializers.CharField()


class LivenessSerializer(serializers.Serializer[Any]):
    """The web process answers."""

    status = serializers.ChoiceField(choices=["ok"])


class ReadinessSerializer(serializers.Serializer[Any]):
    """Whether films that come in now would be read."""

    status = serializers.ChoiceField(choices=READINESS_STATUS)
    database = serializers.BooleanField()
    worker = serializers.BooleanField()
    model = serializers.BooleanField()
    sentence = serializers.CharField()


class _OpenView(APIView):
    """Answers without signing in, whatever token is sent."""

    authentication_classes = []
    permission_classes = [AllowAny]


class HealthView(_OpenView):
    """The whole picture, for people and dashboards."""

    @extend_schema(
        operation_id="health",
        summary="Health of database, worker and model",
        responses={200: HealthSerializer, 503: HealthSerializer},
    )
    def get(self, request: Request) -> Response:
        """Answer 200 as long as films can be taken in, 503 without a database."""
        health = check_health()
        return _answer(_as_dict(health), is_ok=health.database_ok)


class LivenessView(_OpenView):
    """For a supervisor that restarts what does not answer; asks nothing else."""

    @extend_schema(operation_id="healthz", summary="Is the web process alive?", responses=LivenessSerializer)
    def get(self, request: Request) -> Response:
        """Answer 200."""
        return Response({"status": "ok"})


class ReadinessView(_OpenView):
    """For a load balancer or a start script that waits."""

    @extend_schema(
        operation_id="readyz",
        summary="Are database, worker and model ready?",
        responses={200: ReadinessSerializer, 503: ReadinessSerializer},
    )
    def get(self, request: Request) -> Response:
        """Answer 200 when films would be read at once, 503 otherwise."""
        health = check_health()
        ready = health.status == "healthy"
        answer = {
            "status": "ready" if ready else "not ready",
            "database": health.database_ok,
            "worker": health.worker_alive,
            "model": health.model_loaded,
            "sentence": health.sentence,
        }
        return _answer(answer, is_ok=ready)


def _answer(body: dict[str, Any], *, is_ok: bool) -> Response:
    headers = {} if is_ok else {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return Response(body, status=200 if is_ok else 503, headers=headers)


def _as_dict(health: Health) -> dict[str, Any]:
    return {
        "status": health.status,
        "model_loaded": health.model_loaded,
        "gradcam_enabled": True,
        "api_version": API_VERSION,
        "model_version": health.active_version or None,
        "worker_alive": health.worker_alive,
        "database": health.database_ok,
        "queue_waiting": health.waiting,
        "queue_oldest_seconds": round(health.oldest_wait_seconds, 1),
        "sentence": health.sentence,
    }
