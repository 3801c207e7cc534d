"""The worker's task: claims a queued prediction, lets pneumoml compute it and stores the result."""

import logging
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from audit import trail
from core.errors import Refused
from diagnosis import leases, notifications
from diagnosis.inference import scheduling
from diagnosis.inference.failures import PredictionFailed
from diagnosis.inference.predictors import predictor_of
from diagnosis.inference.prefetch import Prefetcher
from diagnosis.leases import Claim
from diagnosis.models import Prediction, Study
from diagnosis.storage.display_copy import pixels_of
from diagnosis.storage.filesystem import StoreUnreachableError
from pneumoml.scope.gate import declared

if TYPE_CHECKING:
    from pneumoml.network.predictor import FilmResult

logger = logging.getLogger(__name__)
Status = Prediction.Status


def run_prediction(*, prediction_uid: str, prefetcher: Prefetcher | None = None) -> None:
    """Analyse one film with its pinned model version, unless another worker does or has done so.

    The id of a film in a batch means only that one more of those waits; `scheduling` decides which. No
    transaction is open while the network computes. After an unexpected error the row is queued again; after
    PREDICTION_MAX_ATTEMPTS it fails. `prefetcher` may hold the film's pixels, and decodes the next film
    meanwhile.
    """
    claim = claim_next(prediction_uid)
    if claim is None:
        return
    uid = claim.row.uid
    try:
        with leases.kept(claim, seconds=settings.PREDICTION_LEASE_SECONDS):
            result = _compute(claim.row, prefetcher)
    except StoreUnreachableError:
        logger.exception("Prediction %s waits: the films' store does not answer", uid)
        requeue(claim, counted=False)
    except PredictionFailed as failure:
        logger.exception("Prediction %s failed: %s", uid, failure.code)
        fail(claim, failure.code)
    except Exception:
        logger.exception("Prediction %s: attempt %d failed", uid, claim.row.attempts)
        requeue(claim)
    else:
        finish(claim, result)


def claim_next(prediction_uid: str) -> Claim[Prediction] | None:
    """Claim the prediction of a message, or the batch film whose turn it is; None when there is none."""
    for uid in scheduling.candidates(prediction_uid):
        claim = claim_prediction(uid)
        if claim is not None:
            return claim
    return None


def claim_prediction(prediction_uid: str) -> Claim[Prediction] | None:
    """Claim the row if it is queued or its last worker's lease has expired, else return None."""
    rows = Prediction.objects.filter(uid=prediction_uid).select_related("study", "model_version")
    return leases.claim(
        rows,
        scheduling.claimable(),
        seconds=settings.PREDICTION_LEASE_SECONDS,
        status=Status.RUNNING,
        started_at=timezone.now(),
    )


def finish(claim: Claim[Prediction], result: "FilmResult") -> bool:
    """Store the result if the lease still holds; False when a later worker has taken over."""
    threshold = claim.row.model_version.threshold
    above = result.calibrated_probability >= threshold
    outcome = Prediction.Outcome.PNEUMONIA if above else Prediction.Outcome.NORMAL
    return _conclude(
        claim,
        verb="prediction_succeeded",
        status=Status.SUCCEEDED,
        logit=result.logit,
        probability=result.probability,
        calibrated_probability=result.calibrated_probability,
        outcome=outcome,
        layer=result.layer,
        cam=[[round(float(value), 6) for value in row] for row in result.cam],
        cam_area=list(result.cam_area),
        cam_strength=result.cam_strength,
        scope_flags=_scope_flags(claim.row.study, result.scope_flags),
        map_flags=None if result.map_flags is None else list(result.map_flags),
        precision=result.precision,
        preprocess_ms=result.timings.preprocess_ms,
        forward_ms=result.timings.forward_ms,
    )


def _scope_flags(study: Study, found: tuple[str, ...] | None) -> list[str] | None:
    """Join what the file declares with what the scope check found; None when neither says anything."""
    stated = declared(view_position=study.view_position, age_years=study.age_years)
    return None if found is None and not stated else [*stated, *(found or ())]


def fail(claim: Claim[Prediction], code: str) -> bool:
    """Mark the prediction as failed with a code of FAILURES, if the lease still holds."""
    return _conclude(claim, verb="prediction_failed", status=Status.FAILED, failure_code=code)


def _conclude(claim: Claim[Prediction], *, verb: str, status: str, **columns: object) -> bool:
    """Write the end of a prediction and its audit event together, only while the lease holds."""
    with transaction.atomic():
        written = leases.release(claim, status=status, finished_at=timezone.now(), **columns)
        if written:
            version = claim.row.model_version.version
            trail.record(actor=None, verb=verb, target=claim.row, model_version=version)
            if status == Status.FAILED:
                notifications.film_failed(prediction=claim.row)
    return written


def requeue(claim: Claim[Prediction], *, counted: bool = True) -> None:
    """Queue the row again after an unexpected error, or fail it after its last attempt.

    `counted` False: the attempt failed for no fault of the film and does not count.
    """
    if counted and claim.row.attempts >= settings.PREDICTION_MAX_ATTEMPTS:
        fail(claim, "gave_up")
        return
    leases.release(claim, status=Status.QUEUED, attempts=F("attempts") - (0 if counted else 1))


def _compute(prediction: Prediction, prefetcher: Prefetcher | None) -> "FilmResult":
    model, pixels = prediction.model_version, prefetcher.take(prediction.study) if prefetcher else None
    try:
        pixels = pixels_of(prediction.study) if pixels is None else pixels
    except StoreUnreachableError:
        raise
    except OSError as error:
        raise PredictionFailed("film_missing") from error
    try:
        predictor = predictor_of(model)
    except Refused as refusal:
        raise PredictionFailed("model_refused") from refusal
    if prefetcher:
        prefetcher.start()
    return predictor.predict(pixels, colour_fraction=prediction.study.colour_fraction or 0.0)
