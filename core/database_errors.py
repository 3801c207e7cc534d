"""Tells the errors of an unusable database from faults of ours, and when to retry."""

from django.db import DatabaseError, InterfaceError, OperationalError

RETRY_AFTER_SECONDS = 30
# What drivers raise when they cannot reach the database; the query is not at fault.
UNREACHABLE = (DatabaseError, InterfaceError)


def says_database_is_gone(error: BaseException | None) -> bool:
    """Return whether the database is locked for long, full, damaged or unreachable.

    A damaged SQLite file raises a plain DatabaseError; its subclasses mean wrong queries.
    """
    return isinstance(error, (OperationalError, InterfaceError)) or type(error) is DatabaseError
