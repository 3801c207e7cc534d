"""The project's settings with a network that answers at once: what remains is the cost of everything else."""

from pneumoweb.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "benchmarks.parts.instant.Instant"]  # noqa: F405
