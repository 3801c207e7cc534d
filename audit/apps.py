"""Registers the app with Django and listens to sign-ins for the audit trail."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Audit trail."""

    name = "audit"
    verbose_name = "Audit trail"

    def ready(self) -> None:
        """Write sign-ins and failed ones to the audit trail."""
        from audit.trail import listen_to_sign_ins

        listen_to_sign_ins()
