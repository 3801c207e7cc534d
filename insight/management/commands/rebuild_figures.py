"""manage.py rebuild_figures: works the standing sums of every day out anew."""

from typing import Any

from core.management.base import FriendlyCommand
from insight.statistics import daily_rollups


class Command(FriendlyCommand):
    """Work every day's sums out from the films."""

    help = (
        "Work the sums out anew that the dashboard and the projects' pages read, of every day. They are kept "
        "by themselves and days that changed are read from the films, so this is only for doubts."
    )
    examples = "  manage.py rebuild_figures      takes about a minute for a million films\n"

    def run(self, **options: Any) -> None:
        """Rebuild, and tell how many rows there are."""
        self.say(f"{daily_rollups.refresh_all()} days of projects are written down.")
