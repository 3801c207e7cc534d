"""Leases: one worker at a time holds a row, and a worker that lost its lease can change nothing."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from diagnosis import leases
from diagnosis.leases import Claim
from diagnosis.models import Prediction, Study

FREE = Q(lease_token=None)


def claimed(study: Study, free: Q = FREE) -> Claim[Prediction] | None:
    return leases.claim(Prediction.objects.filter(study=study), free, seconds=20, failure_code="x")


def test_a_row_is_claimed_only_while_it_is_free(study: Study) -> None:
    claim = claimed(study)
    assert claim is not None
    assert (claim.row.lease_token, claim.row.attempts, claim.row.failure_code) == (claim.token, 1, "x")
    assert claimed(study) is None
    assert study.predictions.get().attempts == 1


def test_a_lease_expires_unless_it_is_renewed(study: Study) -> None:
    claim = claimed(study)
    assert claim is not None
    assert not Prediction.objects.filter(leases.expired()).exists()
    study.predictions.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert Prediction.objects.filter(leases.expired()).exists()
    assert leases.renew(claim, seconds=20)
    assert not Prediction.objects.filter(leases.expired()).exists()


def test_only_the_holder_renews_and_releases(study: Study) -> None:
    late = claimed(study)
    study.predictions.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    successor = claimed(study, leases.expired())
    assert late is not None
    assert successor is not None
    assert not leases.renew(late, seconds=20)
    assert not leases.release(late, failure_code="late")
    assert leases.release(successor, failure_code="y")
    row = study.predictions.get()
    assert (row.lease_token, row.lease_expires_at, row.failure_code) == (None, None, "y")
    assert not leases.release(successor)
