"""Options of the database connection, by engine."""

from typing import Any

_SQLITE = {
    "transaction_mode": "IMMEDIATE",  # take the write lock at BEGIN: no deadlock on upgrade
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
}
# libpq's defaults wait minutes for a machine that is off, and hours for one that went off.
_POSTGRESQL = {
    "connect_timeout": 5,  # seconds; tcp_user_timeout in milliseconds
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    # Random reads from an SSD cost little more than sequential ones; JIT takes longer than our queries.
    "options": "-c random_page_cost=1.1 -c jit=off",
}


def with_options(database: dict[str, Any]) -> dict[str, Any]:
    """Return Django's settings of this database with our options; on PostgreSQL those of its address win."""
    if database["ENGINE"].endswith("sqlite3"):
        return {**database, "OPTIONS": _SQLITE}
    kept = {**database, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    if database["ENGINE"].endswith("postgresql"):
        kept["OPTIONS"] = {**_POSTGRESQL, **database.get("OPTIONS", {})}  # DATABASE_URL=…?connect_timeout=10
    return kept
