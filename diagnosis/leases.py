"""Leases: a worker claims a row for a limited time, renews it while it works, then releases it."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any, Generic, TypeVar

from django.db import DatabaseError, connection
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from diagnosis.models.leased import Leased

Row = TypeVar("Row", bound=Leased)
NO_LEASE = {"lease_token": None, "lease_expires_at": None}


@dataclass(frozen=True)
class Claim(Generic[Row]):
    """The right to work on one row until its lease expires."""

    row: Row
    token: uuid.UUID


def expired() -> Q:
    """Return the condition for rows whose worker did not renew its lease in time."""
    return Q(lease_expires_at__lt=timezone.now())


def claim(rows: QuerySet[Row], free: Q, *, seconds: float, **columns: Any) -> Claim[Row] | None:
    """Lease the one row of `rows` if it is `free`, and count the attempt; None when it is not free.

    A single conditional UPDATE: of many workers that try at once one succeeds.
    """
    token = uuid.uuid4()
    changed = rows.filter(free).update(
        attempts=F("attempts") + 1, lease_token=token, lease_expires_at=_end(seconds), **columns
    )
    return Claim(rows.get(), token) if changed else None


def renew(claim: Claim[Row], *, seconds: float, **columns: Any) -> bool:
    """Extend the lease and write the columns; False when another worker has taken over."""
    return bool(_held(claim).update(lease_expires_at=_end(seconds), **columns))


def release(claim: Claim[Row], **columns: Any) -> bool:
    """End the lease and write the columns; False when another worker has taken over."""
    return bool(_held(claim).update(**NO_LEASE, **columns))


@contextmanager
def kept(claim: Claim[Row], *, seconds: float) -> Iterator[None]:
    """Renew the lease from a thread until the block ends; it expires soon after a killed worker."""
    done = Event()

    def renew_repeatedly() -> None:
        while not done.wait(seconds / 3):
            with suppress(DatabaseError):  # out of reach for a moment: the next renewal may come in time
                renew(claim, seconds=seconds)
            connection.close()

    thread = Thread(target=renew_repeatedly, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _held(claim: Claim[Row]) -> QuerySet[Row]:
    return type(claim.row)._default_manager.filter(pk=claim.row.pk, lease_token=claim.token)


def _end(seconds: float) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)
