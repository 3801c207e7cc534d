"""Base class of rows that workers lease."""

from django.db import models


class Leased(models.Model):
    """Mixed into rows that workers claim; `diagnosis.leases` alone writes its columns.

    A row without a token is free. `attempts` counts the claims.
    """

    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True
