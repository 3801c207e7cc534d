"""The four roles and what each may do, whatever the film."""

from collections.abc import Callable

from django.contrib.auth.models import User
from django.utils.functional import Promise

from core.errors import NotAllowed
from core.users import AnyUser, KeptWithUser

UPLOADER = "uploader"
READER = "reader"
AUDITOR = "auditor"
ADMINISTRATOR = "administrator"
ALL_ROLES = (UPLOADER, READER, AUDITOR, ADMINISTRATOR)


def roles_of(user: AnyUser) -> frozenset[str]:
    """Return the names of the user's roles, loaded once per user object; a superuser has all."""
    if not isinstance(user, User) or not user.is_active:
        return frozenset()
    return _ROLES.of(user)


def _stored_roles(user: AnyUser) -> frozenset[str]:
    if not isinstance(user, User):
        return frozenset()
    if user.is_superuser:
        return frozenset(ALL_ROLES)
    return frozenset(user.groups.filter(name__in=ALL_ROLES).values_list("name", flat=True))


_ROLES = KeptWithUser("roles", _stored_roles)


def may_upload(user: AnyUser) -> bool:
    """Uploaders and administrators upload films."""
    return bool(roles_of(user) & {UPLOADER, ADMINISTRATOR})


def may_review(user: AnyUser) -> bool:
    """Readers give an opinion on a film."""
    return READER in roles_of(user)


def may_audit(user: AnyUser) -> bool:
    """Auditors and administrators read the audit trail."""
    return bool(roles_of(user) & {AUDITOR, ADMINISTRATOR})


def may_export(user: AnyUser) -> bool:
    """Readers, auditors and administrators export what they may see of many films."""
    return bool(roles_of(user) & {READER, AUDITOR, ADMINISTRATOR})


def may_administer(user: AnyUser) -> bool:
    """Administrators manage projects, people and model versions, and move films to the trash."""
    return ADMINISTRATOR in roles_of(user)


def sees_every_project(user: AnyUser) -> bool:
    """Auditors and administrators see the films of all projects; everybody else those of their own."""
    return may_audit(user)


_CODES: dict[Callable[[AnyUser], bool], str] = {
    may_upload: "not_an_uploader",
    may_review: "not_a_reader",
    may_administer: "not_an_administrator",
}


def require(user: AnyUser, may: Callable[[AnyUser], bool], message: str | Promise) -> None:
    """Raise NotAllowed with `message` unless `may(user)`: may_upload, may_review or may_administer."""
    code = _CODES[may]
    if not may(user):
        raise NotAllowed(code, message)
