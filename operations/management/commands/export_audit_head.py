"""manage.py export_audit_head: records the newest event's number and hash for later comparison."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from audit import trail
from core.management.base import FriendlyCommand


class Command(FriendlyCommand):
    """Verify the trail and append its head to a file; exit code 1 when it is not whole."""

    help = (
        "Verify the audit trail and append one line, the time with the newest event's number and hash, to "
        "heads.txt. The clock does it each day into var/audit/. Keep a copy on another machine: verify_audit "
        "--noted compares with such a line, and only that shows a trail rewritten as a whole."
    )
    examples = "  manage.py export_audit_head\n  manage.py export_audit_head --folder /mnt/elsewhere\n"

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        default = Path(settings.VAR_DIR) / "audit"
        parser.add_argument("--folder", type=Path, default=default, help="Default: var/audit/.")

    def run(self, **options: Any) -> None:
        """Export the head and print it."""
        report = trail.export_head(folder=options["folder"])
        if not report.is_whole:
            raise CommandError(f"The audit trail is NOT whole. Event {report.broken_at}: {report.reason}.")
        self.say(f"{report.events}:{report.head}" if report.events else "The audit trail is empty.")
