"""manage.py backup: the whole installation in one file."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from core.management.base import FriendlyCommand
from operations.backup.writing import make_backup


class Command(FriendlyCommand):
    """Write a backup; people may go on working meanwhile."""

    help = (
        "Write every row and every film of this installation into one tar file with checksums. The site may "
        "run meanwhile. Not in it: the models in MODELS_DIR, the settings, sign-ins of the moment."
    )
    examples = (
        "  manage.py backup /mnt/backup                  a new file named by date in that folder\n"
        "  manage.py backup /mnt/backup/monday.tar\n"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the target."""
        parser.add_argument("path", type=Path, metavar="FILE", help="A new file, or a folder to put one in.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def run(self, **options: Any) -> None:
        """Write the backup and report; exit code 1 when a file was missing or the trail is not whole."""
        path: Path = options["path"]
        if path.is_dir():
            path = path / f"pneumoweb-{timezone.now():%Y%m%d-%H%M%S}.tar"
        held = make_backup(actor=None, path=path)
        if options["json"]:
            self.say_json(
                {
                    "file": str(path),
                    "rows": sum(held.rows.values()),
                    "files": len(held.files),
                    "missing_files": held.missing_files,
                    "audit_events": held.audit_events,
                    "audit_head": held.audit_head,
                    "audit_whole": held.audit_whole,
                }
            )
        else:
            self.say(f"{path}: {sum(held.rows.values()):,} rows and {len(held.files):,} files.")
            self.say(f"Note this line elsewhere:  {held.audit_events}:{held.audit_head}")
        if held.missing_files:
            raise CommandError(
                f"{len(held.missing_files)} files were missing in the media folder, so in the backup too, "
                f"the first of them: {held.missing_files[0]}"
            )
        if not held.audit_whole:
            raise CommandError(
                "The audit trail is not whole. The backup holds it as it is: manage.py verify_audit"
            )
