"""Base class of the commands: help with examples, refusals as sentences, JSON, the disclaimer."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from django.db import DatabaseError

from core.errors import Refused


class _ExamplesAsWritten(DjangoHelpFormatter):
    """Keeps the line breaks of texts that have some, and wraps the others."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if "\n" in text else super()._fill_text(text, width, indent)


class FriendlyCommand(BaseCommand):
    """A command for people: implement `run` instead of `handle`, and give `examples`."""

    examples = ""
    requires_system_checks = []
    # Options of every Django command that would only hide ours from a newcomer; they still work.
    suppressed_base_arguments = {
        "--version",
        "--verbosity",
        "--settings",
        "--pythonpath",
        "--traceback",
        "--no-color",
        "--force-color",
    }

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Show the examples and the disclaimer below the options."""
        parser = super().create_parser(prog_name, subcommand, formatter_class=_ExamplesAsWritten, **kwargs)
        parser.epilog = f"Examples:\n{self.examples}\n{settings.DISCLAIMER}"
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        """Run; turn refusals and an unusable database into one sentence and exit code 1."""
        try:
            self.run(**options)
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
        except DatabaseError as error:
            first_line = str(error).strip().partition("\n")[0]
            sentence = f"The database cannot be used ({first_line}). Was it prepared? Run: manage.py migrate"
            raise CommandError(sentence) from error

    def run(self, **options: Any) -> None:
        """Do the work."""
        raise NotImplementedError

    def say(self, sentence: str = "") -> None:
        """Print a sentence."""
        self.stdout.write(sentence)

    def say_json(self, answer: dict[str, Any]) -> None:
        """Print one JSON object with the disclaimer, for scripts."""
        complete = {**answer, "disclaimer": settings.DISCLAIMER}
        self.stdout.write(json.dumps(complete, indent=2, ensure_ascii=False, allow_nan=False))
