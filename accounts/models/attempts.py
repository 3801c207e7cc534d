"""How often an account was tried from an address."""

from django.db import models
from django.utils import timezone


class LoginAttempt(models.Model):
    """Failed and reserved attempts of one account from one address; `account` is an account_key."""

    account = models.CharField(max_length=255)
    address = models.GenericIPAddressField()
    failed = models.PositiveIntegerField(default=0)
    failed_at = models.DateTimeField(default=timezone.now)
    reserved = models.PositiveIntegerField(default=0)
    reserved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()  # no page shows these rows
        constraints = [models.UniqueConstraint(fields=["account", "address"], name="login_attempt_once")]

    def __str__(self) -> str:
        return f"attempts of {self.account} from {self.address}"
