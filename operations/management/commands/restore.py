"""manage.py restore: fills a new installation from a backup."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from core.management.base import FriendlyCommand
from operations.backup.restoring import restore_backup


class Command(FriendlyCommand):
    """Restore a backup into a new installation, before its first start."""

    help = (
        "Fill a new, empty installation from a file that “manage.py backup” wrote: every row, every film, "
        "the audit trail, all checked. Whether the backup came from SQLite or PostgreSQL does not matter. An "
        "installation that is in use is refused."
    )
    examples = (
        "  manage.py restore /mnt/backup/pneumoweb-20261124-020000.tar\n"
        "  DATABASE_URL=postgres://… manage.py restore FILE       to move from SQLite to PostgreSQL\n"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the source."""
        parser.add_argument("path", type=Path, metavar="FILE", help="The backup.")

    def run(self, **options: Any) -> None:
        """Restore the backup and report."""
        held = restore_backup(path=options["path"])
        self.say(
            f"Restored: {sum(held.rows.values()):,} rows and {len(held.files):,} files, all as backed up."
        )
        state = "whole" if held.audit_whole else "NOT whole, as it was when the backup was made"
        self.say(f"The audit trail is {state}:  {held.audit_events}:{held.audit_head}")
        for name in held.missing_files:
            self.say(f"Missing already when the backup was made: {name}")
