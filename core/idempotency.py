"""Stores idempotency keys: a request is carried out once for each key and answered the same way again."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from core.errors import Conflict, Unprocessable
from core.models import IdempotencyKey

KEPT_FOR = timedelta(hours=24)
_ABANDONED_AFTER = timedelta(minutes=2)  # longer than any request lasts


class KeyReused(Unprocessable):
    """The key was used before with another request."""


def claim_key(*, actor: User, key: str, fingerprint: str) -> IdempotencyKey:
    """Claim the key for this request, or return it with its answer (`status` set) when it was used before.

    Raises KeyReused for another request under the same key, Conflict while the first one is still running.
    """
    IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(user=actor, key=key, fingerprint=fingerprint)
    except IntegrityError:
        earlier = IdempotencyKey.objects.filter(user=actor, key=key).first()
    if earlier is not None and earlier.fingerprint != fingerprint:
        message = "This Idempotency-Key was used for another request. Use a new key for a new request."
        raise KeyReused("idempotency_key_reused", message)
    if earlier is None or (earlier.status is None and not _take_over(earlier)):
        message = "The first request with this Idempotency-Key is still at work. Try again in a moment."
        raise Conflict("idempotency_key_in_use", message)
    return earlier


def _take_over(claim: IdempotencyKey) -> bool:
    """Take over a claim whose process died before it answered."""
    now = timezone.now()
    abandoned = IdempotencyKey.objects.filter(
        pk=claim.pk, status__isnull=True, created_at__lt=now - _ABANDONED_AFTER
    )
    return bool(abandoned.update(created_at=now))


def store_answer(*, claim: IdempotencyKey, status: int, answer: dict[str, Any] | None) -> None:
    """Store the request's answer; None means that the request can be repeated safely."""
    IdempotencyKey.objects.filter(pk=claim.pk).update(status=status, answer=answer)


def release_key(*, claim: IdempotencyKey) -> None:
    """Delete a claim whose request failed, so that it can be corrected and sent again with the same key."""
    IdempotencyKey.objects.filter(pk=claim.pk, status__isnull=True).delete()
