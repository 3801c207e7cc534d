"""Second factors: who has one, checking codes, encrypting secrets, resetting."""

import base64
import hashlib
import secrets
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from accounts.allauth_seam import record_authentication
from audit import trail
from core.users import AnyUser

_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # the library has no types
    """Keeps the secrets of authenticator apps and recovery codes encrypted with the installation's key."""

    def encrypt(self, text: str) -> str:
        """Return what is stored in place of `text`."""
        return _cipher().encrypt(text.encode()).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        """Return the secret; after a change of SECRET_KEY a random one, which no code matches."""
        try:
            return _cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            return base64.b32encode(secrets.token_bytes(20)).decode("ascii")


def _cipher() -> Fernet:
    key = hashlib.sha256(b"second factor\0" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def has_second_factor(user: AnyUser) -> bool:
    """Return whether the account has an authenticator app or a passkey; recovery codes do not count."""
    if not isinstance(user, User):
        return False
    return bool(Authenticator.objects.filter(user=user, type__in=_FACTORS).exists())


def code_is_right(*, user: User, code: str) -> bool:
    """Check and consume a code of the account's app or a recovery code; return False for a wrong one."""
    for authenticator in Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.WEBAUTHN):
        if authenticator.wrap().validate_code(code):
            authenticator.record_usage()
            return True
    return False


def reset_second_factor(*, actor: User | None, user: User) -> int:
    """Remove all second factors of an account and return how many; the password alone then signs in."""
    with transaction.atomic():
        factors = Authenticator.objects.filter(user=user)
        kinds = sorted(factors.values_list("type", flat=True))
        factors.delete()
        trail.record(actor=actor, verb="second_factor_reset", target=user, kinds=kinds)
    return len(kinds)


def listen_to_changes() -> None:
    """Record allauth's signals in the audit trail; called once by the app's `ready`."""
    authenticator_added.connect(_added, dispatch_uid="second-factor-added")
    authenticator_removed.connect(_removed, dispatch_uid="second-factor-removed")
    authenticator_reset.connect(_codes_made, dispatch_uid="second-factor-codes-made")


def _added(request: Any, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    trail.record(actor=user, verb="second_factor_added", target=user, kind=str(authenticator.type))
    if authenticator.type in _FACTORS:  # setting it up has just proved it
        record_authentication(request, user, "mfa", id=authenticator.pk, type=str(authenticator.type))


def _removed(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    trail.record(actor=user, verb="second_factor_removed", target=user, kind=str(authenticator.type))


def _codes_made(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    trail.record(actor=user, verb="recovery_codes_made", target=user)
