"""manage.py check_storage: compares the stored files with the database."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from core.management.base import FriendlyCommand
from diagnosis.storage.verification import StorageReport, check_storage

SHOWN = 10
FAULTS = {
    "missing": "named by the database, but missing or empty",
    "changed": "other than when it was taken in",
    "without_row": "belongs to no film in the database",
}


class Command(FriendlyCommand):
    """Compare rows and files; exit code 0 when they agree, 1 when they do not."""

    help = (
        "Check every stored film: its three files are there, the original has the SHA-256 with which it was "
        "taken in, and no file lies there without a film in the database. People may go on working "
        "meanwhile. Nothing is changed. Exit code 0: all is well. Exit code 1: something is not, and what."
    )
    examples = (
        "  manage.py check_storage\n"
        "  manage.py check_storage --quick     (is everything there? without reading it)\n"
        "  manage.py check_storage --json\n"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")
        parser.add_argument("--quick", action="store_true", help="Compare no checksums.")

    def run(self, **options: Any) -> None:
        """Check the storage and report."""
        report = check_storage(checksums=not options["quick"])
        if options["json"]:
            self._print_json(report)
        elif report.is_whole:
            self.say(
                f"{report.films:,} films, {report.files:,} files: all there, and no file without its film."
            )
        else:
            raise CommandError(_sentences(report))

    def _print_json(self, report: StorageReport) -> None:
        self.say_json(
            {
                "whole": report.is_whole,
                "films": report.films,
                "files": report.files,
                "missing": report.missing,
                "changed": report.changed,
                "without_row": report.without_row,
            }
        )
        if not report.is_whole:
            raise SystemExit(1)


def _sentences(report: StorageReport) -> str:
    found = [f"  {name}: {words}" for kind, words in FAULTS.items() for name in getattr(report, kind)[:SHOWN]]
    total = sum(len(getattr(report, kind)) for kind in FAULTS)
    first = f"{total:,} of the files are not as they should be ({report.films:,} films were looked at):"
    return "\n".join([first, *found, "docs/operations.md says what to do."])
