"""The loaded networks of this process."""

import logging
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

from core.errors import Refused
from diagnosis.inference.registry import active_model, artifact_of
from diagnosis.models import ModelVersion

if TYPE_CHECKING:
    from pneumoml.network.predictor import Predictor

logger = logging.getLogger(__name__)


def warm_up() -> str:
    """Load the active model into this process; return its version, or '' when there is none to load."""
    try:
        model = active_model()
        predictor_of(model)
    except Refused as refusal:
        logger.warning("No model loaded: %s", refusal.message)
        return ""
    return model.version


def predictor_of(model: ModelVersion) -> "Predictor":
    """Return the version's network, loaded at first use. Raises ModelRefused."""
    return _load(model.version, model.weights_sha256, settings.GRADCAM_LAYER)


@lru_cache(maxsize=2)
def _load(version: str, weights_sha256: str, layer: str) -> "Predictor":
    """Load lazily, in the process that predicts: a network built before a fork hangs in the child."""
    from pneumoml.network.loading import load_best

    model = ModelVersion.objects.get(version=version, weights_sha256=weights_sha256)
    predictor = load_best(
        artifact_of(model),
        layer=layer,
        precision=settings.PREDICTION_PRECISION,
        notes=settings.VAR_DIR / "precision.json",
    )
    logger.info("Model %s is loaded and computes in %s.", version, predictor.precision)
    return predictor
