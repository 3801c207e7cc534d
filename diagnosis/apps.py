"""Registers the app with Django and listens to sign-ins for the audit trail."""

from django.apps import AppConfig


class DiagnosisConfig(AppConfig):
    """Films and AI results."""

    name = "diagnosis"
    verbose_name = "Films and AI results"

    def ready(self) -> None:
        """Write sign-ins, failed ones, and changes of second factors to the audit trail."""
        from diagnosis.audit import listen_to_sign_ins
        from diagnosis.second_factor import listen_to_changes

        listen_to_sign_ins()
        listen_to_changes()
