"""Audit events and the head of their hash chain."""

from django.db import models


class AuditHead(models.Model):
    """The head of the hash chain: one row, locked while an event is appended."""

    last_seq = models.PositiveBigIntegerField(default=0)
    last_hash = models.CharField(max_length=64, default="0" * 64)

    class Meta:
        db_table = "diagnosis_audithead"


class AuditEvent(models.Model):
    """One action of a person or of the system; triggers refuse changes, the hash chain shows tampering."""

    seq = models.PositiveBigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True, help_text="No foreign key: the trail outlives the account.")
    actor_name = models.CharField(max_length=150)
    verb = models.CharField(max_length=40)
    object_type = models.CharField(max_length=40, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        db_table = "diagnosis_auditevent"
        ordering = ["-seq"]
        indexes = [
            models.Index(fields=["object_type", "object_id"], name="audit_object"),
            models.Index(fields=["verb", "-seq"], name="audit_verb"),
            models.Index(fields=["-at"], name="audit_at"),
            models.Index(fields=["actor_name", "-seq"], name="audit_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.actor_name} {self.verb}"
