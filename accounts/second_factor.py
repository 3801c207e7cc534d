"""Second factors of accounts: who has one, its codes, its secrets, and taking it away."""

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
        """Return the secret; after a change of SECRET_KEY one that no code fits."""
        try:
            return _cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            return base64.b32encode(secrets.token_bytes(20)).decode("ascii")


def _cipher() -> Fernet:
    key = hashlib.sha256(b"second factor\0" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def has_second_factor(user: AnyUser) -> bool:
    """Whether the account has an authenticator app or a passkey; recovery codes alone are none."""
    if not isinstance(user, User):
        return False
    return bool(Authenticator.objects.filter(user=user, type__in=_FACTORS).exists())


def code_is_right(*, user: User, code: str) -> bool:
    """Use up a code of the account's app or one of its recovery codes; False when none fits."""
    for authenticator in Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.WEBAUTHN):
        if authenticator.wrap().validate_code(code):
            authenticator.record_usage()
            return True
    return False


def reset_second_factor(*, actor: User | None, user: User) -> int:
    """Take all second factors from an account and return how many; the password alone signs in then."""
    with transaction.atomic():
        factors = Authenticator.objects.filter(user=user)
        kinds = sorted(factors.values_list("type", flat=True))
        factors.delete()
        trail.record(actor=actor, verb="second_factor_reset", target=user, kinds=kinds)
    return len(kinds)


def listen_to_changes() -> None:
    """Connect the library's signals to the audit trail; called once by the app's `ready`."""
    authenticator_added.connect(_added, dispatch_uid="second-factor-added")
    authenticator_removed.connect(_removed, dispatch_uid="second-factor-removed")
    authenticator_reset.connect(_codes_made, dispatch_uid="second-factor-codes-made")


def _added(request: Any, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    trail.record(actor=user, verb="second_factor_added", target=user, kind=str(authenticator.type))
    if authenticator.type in _FACTORS:  # it was shown to work just now
        record_authentication(request, user, "mfa", id=authenticator.pk, type=str(authenticator.type))


def _removed(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    trail.record(actor=user, verb="second_factor_removed", target=user, kind=str(authenticator.type))


def _codes_made(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    trail.record(actor=user, verb="recovery_codes_made", target=user)
