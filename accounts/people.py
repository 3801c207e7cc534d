"""Creates the first administrator of an installation; changes a person's password."""

import secrets
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from audit import trail

DEFAULT_NAME = "admin"


@dataclass(frozen=True)
class NewAdministrator:
    """A new administrator. `generated_password` is shown once and stored nowhere; "" if one was given."""

    username: str
    generated_password: str


def ensure_administrator(*, actor: User | None, username: str, password: str) -> NewAdministrator | None:
    """Create the requested administrator, or the first one; return None when none is missing.

    With both `username` and `password` that account is created unless the name is taken: an existing account
    keeps its password and its rights. Otherwise an administrator called `username` (or "admin") is created
    only while there is none, with a random password of 120 bits where none was given.
    """
    name = username or DEFAULT_NAME
    requested = bool(username and password)
    with transaction.atomic():
        if User.objects.filter(username=name).exists():
            return None
        if not requested and User.objects.filter(is_superuser=True).exists():
            return None
        generated = "" if password else secrets.token_urlsafe(15)
        user = User.objects.create_superuser(username=name, password=password or generated)
        trail.record(actor=actor, verb="administrator_created", target=user)
    return NewAdministrator(username=name, generated_password=generated)


def change_password(*, actor: User, password: str) -> None:
    """Store the person's new password, which a form has checked; their other sessions end."""
    with transaction.atomic():
        actor.set_password(password)
        actor.save(update_fields=["password"])
        trail.record(actor=actor, verb="password_changed", target=actor)
