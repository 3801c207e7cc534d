"""Registers the app with Django and listens to sign-ins for the audit trail."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The app `audit`."""

    name = "audit"
    verbose_name = "Audit trail"

    def ready(self) -> None:
        """Record sign-ins and failed sign-ins."""
        from audit.trail import listen_to_sign_ins

        listen_to_sign_ins()
