"""The first administrator of a new installation; a person's new password."""

import secrets
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from audit import trail

DEFAULT_NAME = "admin"


@dataclass(frozen=True)
class NewAdministrator:
    """An administrator just made. `made_up_password` is told once and stored nowhere; "" if it was given."""

    username: str
    made_up_password: str


def ensure_administrator(*, actor: User | None, username: str, password: str) -> NewAdministrator | None:
    """Make the administrator that was asked for, or the first one; return None when nobody was missing.

    With both `username` and `password` that account is made unless the name is taken: an account that
    exists keeps its password and its rights. Otherwise an administrator called `username` (or "admin") is
    made only while there is none, with a random password of 120 bits where none was given.
    """
    name = username or DEFAULT_NAME
    asked_for = bool(username and password)
    with transaction.atomic():
        if User.objects.filter(username=name).exists():
            return None
        if not asked_for and User.objects.filter(is_superuser=True).exists():
            return None
        made_up = "" if password else secrets.token_urlsafe(15)
        user = User.objects.create_superuser(username=name, password=password or made_up)
        trail.record(actor=actor, verb="administrator_created", target=user)
    return NewAdministrator(username=name, made_up_password=made_up)


def change_password(*, actor: User, password: str) -> None:
    """Store the person's own new password, which a form has checked; their other sessions end with it."""
    with transaction.atomic():
        actor.set_password(password)
        actor.save(update_fields=["password"])
        trail.record(actor=actor, verb="password_changed", target=actor)
