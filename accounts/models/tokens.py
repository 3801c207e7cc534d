"""Details of API tokens: name, scopes, last use. Hash and expiry are in knox's table."""

from django.db import models
from knox.models import AuthToken


class TokenDetails(models.Model):
    """Name, scopes and day of last use of one token; a token without this row has no limits."""

    token = models.OneToOneField(
        AuthToken, on_delete=models.CASCADE, primary_key=True, related_name="details"
    )
    name = models.CharField(max_length=60, blank=True)
    scopes = models.JSONField(default=list, blank=True, help_text="Empty: everything that the person may.")
    last_used_on = models.DateField(null=True)

    class Meta:
        db_table = "diagnosis_tokendetails"
        verbose_name_plural = "token details"

    def __str__(self) -> str:
        return self.name
