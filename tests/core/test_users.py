"""A value kept with a user object is worked out once, and belongs to that object alone."""

from itertools import count

from django.contrib.auth.models import AnonymousUser, User
from django.utils.functional import SimpleLazyObject

from core.users import KeptWithUser


def counter() -> KeptWithUser[int]:
    """Return a value that says how often one was worked out so far."""
    numbers = count(1)
    return KeptWithUser("number", lambda user: next(numbers))


def test_it_is_worked_out_once_for_each_object() -> None:
    kept = counter()
    one, the_same_person = User(pk=7), User(pk=7)
    assert [kept.of(one), kept.of(one), kept.of(the_same_person), kept.of(AnonymousUser())] == [1, 1, 2, 3]


def test_it_is_forgotten_through_the_lazy_object_of_a_request() -> None:
    kept = counter()
    user = User(pk=7)
    lazy: User = SimpleLazyObject(lambda: user)  # type: ignore[assignment]
    assert (kept.of(user), kept.of(lazy)) == (1, 1)
    kept.forget(lazy)
    assert kept.of(user) == 2
