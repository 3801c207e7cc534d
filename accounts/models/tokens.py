"""What a person said of an API token: its name and what it is for. Its hash and expiry are knox's."""

from django.db import models
from knox.models import AuthToken


class TokenDetails(models.Model):
    """Name, scopes and day of last use of one token; a token without this row may do everything."""

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
