"""manage.py verify_audit: finds changes of the audit trail."""

import argparse
from typing import Any

from django.core.management.base import CommandError, CommandParser

from audit import trail
from core.management.base import FriendlyCommand


def _noted(text: str) -> tuple[int, str]:
    """Parse “1234:9f86…”, as this command prints it."""
    number, _, digest = text.strip().lower().partition(":")
    if (
        not number.isdecimal()
        or int(number) < 1
        or len(digest) != 64
        or set(digest) - set("0123456789abcdef")
    ):
        raise argparse.ArgumentTypeError("write NUMBER:HASH, with the 64 digits that an earlier run printed")
    return int(number), digest


class Command(FriendlyCommand):
    """Verify the whole chain; exit code 0 when it is whole, 1 when it is not."""

    help = (
        "Check that the audit trail is whole: every event there, unchanged and in its place. Each event "
        "carries a hash of itself and of the one before it, so any change breaks the chain. "
        "Exit code 0: whole. Exit code 1: something was changed, and where."
    )
    examples = (
        "  manage.py verify_audit\n"
        "  manage.py verify_audit --json\n"
        "  manage.py verify_audit --noted 1234:9f86d0…   (the line that an earlier run told you to note)\n"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")
        parser.add_argument(
            "--noted",
            type=_noted,
            metavar="NUMBER:HASH",
            help="The newest event's number and hash as noted at an earlier run. Only this shows a trail "
            "that somebody with the database's password rewrote as a whole.",
        )

    def run(self, **options: Any) -> None:
        """Verify the trail and report."""
        report = trail.verify_chain(noted=options["noted"])
        if options["json"]:
            self.say_json(
                {
                    "whole": report.is_whole,
                    "events": report.events,
                    "head": report.head,
                    "broken_at": report.broken_at,
                    "code": report.code,
                    "reason": report.reason,
                }
            )
            if not report.is_whole:
                raise SystemExit(1)
        elif report.is_whole:
            self._print_whole(report)
        else:
            raise CommandError(
                f"The audit trail is NOT whole. Event {report.broken_at}: {report.reason}. The "
                f"{report.events:,} events before it are as they were written. Keep a copy of the database "
                "and compare it with a backup."
            )

    def _print_whole(self, report: trail.ChainReport) -> None:
        self.say(f"The audit trail is whole: {report.events:,} events, unchanged and in order.")
        if report.events:
            self.say(f"Note this line elsewhere, for a later --noted:  {report.events}:{report.head}")
