"""Registers the app with Django and listens to changes of second factors for the audit trail."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The app `accounts`."""

    name = "accounts"
    verbose_name = "People"

    def ready(self) -> None:
        """Record changes of second factors."""
        from accounts.second_factor import listen_to_changes

        listen_to_changes()
