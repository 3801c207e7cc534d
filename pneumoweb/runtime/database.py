"""What every connection to the database is told, by engine."""

from typing import Any

_SQLITE = {
    "transaction_mode": "IMMEDIATE",  # take the write lock at BEGIN: no deadlock on upgrade
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
}
# libpq by itself waits minutes for a machine that is off, and hours for one that went off.
_POSTGRESQL = {
    "connect_timeout": 5,  # seconds; tcp_user_timeout in milliseconds
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    # Rows on an SSD are as near as the next ones; compiling a page's question takes longer than answering it.
    "options": "-c random_page_cost=1.1 -c jit=off",
}


def with_options(database: dict[str, Any]) -> dict[str, Any]:
    """Return Django's settings of this database with our options; those in its address win on PostgreSQL."""
    if database["ENGINE"].endswith("sqlite3"):
        return {**database, "OPTIONS": _SQLITE}
    kept = {**database, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    if database["ENGINE"].endswith("postgresql"):
        kept["OPTIONS"] = {**_POSTGRESQL, **database.get("OPTIONS", {})}  # DATABASE_URL=…?connect_timeout=10
    return kept
