"""manage.py setup_site: prepares the installation before its processes start; safe to repeat."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from accounts.people import ensure_administrator
from core.management.base import FriendlyCommand
from core.sqlite_statistics import write_statistics
from diagnosis.inference import health, registry
from diagnosis.models import ModelVersion


class Command(FriendlyCommand):
    """Prepare the installation and print each step that changed something."""

    help = (
        "Prepare this installation: database tables, static files, the first administrator "
        "(DJANGO_SUPERUSER_USERNAME and DJANGO_SUPERUSER_PASSWORD, else a password is made up and printed "
        "once) and the shipped model. Repeating it changes nothing that is already there; ./run.sh does."
    )
    examples = "  manage.py setup_site        after an update, when you do not use ./run.sh\n"

    def run(self, **options: Any) -> None:
        """Run the steps in order; a database error becomes one sentence."""
        try:
            self._migrate()
            self._models()
            self._administrator()
            health.forget_local_workers()
        except DatabaseError as error:
            raise CommandError(
                f"The database cannot be used ({_first_line(error)}). Check DATABASE_URL, that the database "
                "server runs, and that its disk is not full."
            ) from error
        self._collect_static()

    def _migrate(self) -> None:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if plan:
            self.say(f"Preparing the database ({len(plan)} migrations) …")
            call_command("migrate", interactive=False, verbosity=0)
        write_statistics(connection)

    def _models(self) -> None:
        """Register the shipped versions; activate the newest where none is active."""
        models = registry.register_shipped(actor=None)
        active = ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE).first()
        if active is not None:
            registry.artifact_of(active)
        elif models:
            active = registry.activate(actor=None, model=models[-1])
            self.say(f"The model {active.version} reads the films.")
        else:
            raise CommandError(f"No trained model is in {settings.MODELS_DIR}.")

    def _administrator(self) -> None:
        made = ensure_administrator(
            actor=None,
            username=os.environ.get("DJANGO_SUPERUSER_USERNAME", ""),
            password=os.environ.get("DJANGO_SUPERUSER_PASSWORD", ""),
        )
        if made is None:
            return
        if not made.generated_password:
            self.say(f"The administrator “{made.username}” was created with the password you gave.")
            return
        line = "=" * 72
        self.say(
            f"\n{line}\n  First administrator      user name: {made.username}      "
            f"password: {made.generated_password}\n"
            f"  This password is shown only now. Change it after signing in.\n{line}\n"
        )

    def _collect_static(self) -> None:
        if not _static_is_current():
            self.say("Collecting the static files …")
            call_command("collectstatic", interactive=False, verbosity=0)


def _static_is_current() -> bool:
    """True when the collected files' manifest is newer than every file it was made from."""
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if not manifest.is_file():
        return False
    made = manifest.stat().st_mtime
    for finder in get_finders():
        for path, storage in finder.list([]):
            if os.stat(storage.path(path)).st_mtime > made:
                return False
    return True


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
