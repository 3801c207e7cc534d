"""The type of whoever makes a request, and values kept with such an object."""

from collections.abc import Callable
from typing import Generic, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

AnyUser = User | AnonymousUser | AbstractBaseUser
T = TypeVar("T")


class KeptWithUser(Generic[T]):
    """A value worked out once for each user object and kept as long as the object, which is one request.

    It is an attribute of the object, like Django's own cache of permissions: user objects are equal by
    primary key, so a dictionary of them would carry one request's value into another.
    """

    def __init__(self, name: str, compute: Callable[[AnyUser], T]) -> None:
        self._attribute = f"_kept_{name}"
        self._compute = compute

    def of(self, user: AnyUser) -> T:
        """Return the value for this object."""
        if not hasattr(user, self._attribute):
            setattr(user, self._attribute, self._compute(user))
        value: T = getattr(user, self._attribute)
        return value

    def forget(self, user: AnyUser) -> None:
        """Let the value be worked out anew."""
        if hasattr(user, self._attribute):
            delattr(user, self._attribute)
