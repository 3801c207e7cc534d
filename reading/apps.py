"""Registers the app with Django, and its signed reads with the trash."""

from django.apps import AppConfig


class ReadingConfig(AppConfig):
    """Reviews, worklist, adjudication and discordance."""

    name = "reading"
    verbose_name = "Reading"

    def ready(self) -> None:
        """Let a signed read keep its film."""
        from diagnosis.studies.trash import register_keeper
        from reading.retention import KEEPER

        register_keeper(KEEPER)
