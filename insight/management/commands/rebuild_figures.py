"""manage.py rebuild_figures: recomputes the daily rollups of all days."""

from typing import Any

from core.management.base import FriendlyCommand
from insight.statistics import daily_rollups


class Command(FriendlyCommand):
    """Recompute all daily rollups from the films."""

    help = (
        "Work the sums out anew that the dashboard and the projects' pages read, of every day. They are kept "
        "by themselves and days that changed are read from the films, so this is only for doubts."
    )
    examples = "  manage.py rebuild_figures      takes about a minute for a million films\n"

    def run(self, **options: Any) -> None:
        """Rebuild, and print the number of rows."""
        self.say(f"{daily_rollups.refresh_all()} days of projects are written down.")
