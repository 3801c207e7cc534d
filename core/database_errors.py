"""When the database cannot be used: which errors say so, and when to ask again."""

from django.db import DatabaseError, InterfaceError, OperationalError

RETRY_AFTER_SECONDS = 30
# What drivers raise when they cannot reach the database, or no longer; each is no fault of the question.
UNREACHABLE = (DatabaseError, InterfaceError)


def says_database_is_gone(error: BaseException | None) -> bool:
    """Whether the error means: locked for long, full, damaged or out of reach, rather than a fault of ours.

    A damaged SQLite file is a plain DatabaseError; its subclasses for wrong questions are not meant.
    """
    return isinstance(error, (OperationalError, InterfaceError)) or type(error) is DatabaseError
