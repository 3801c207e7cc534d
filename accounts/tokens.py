"""Creates, lists and revokes a person's API tokens, and limits them to scopes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from knox.models import AuthToken

from accounts.models import TokenDetails
from audit import trail
from core.errors import Refused

READ, UPLOAD, REVIEW, AUDIT = "read", "upload", "review", "audit"
ANY = "any"  # what every token may do: be revoked
SCOPES = {
    READ: gettext_lazy("read films, results and reviews"),
    UPLOAD: gettext_lazy("send films"),
    REVIEW: gettext_lazy("write and sign reviews"),
    AUDIT: gettext_lazy("read the audit trail"),
}
MAX_HOURS = 24 * 366


class TokenRefused(Refused):
    """The token cannot be created as requested."""


@dataclass(frozen=True)
class NewToken:
    """A new token; `secret` is shown once and stored only as a hash."""

    secret: str
    expiry: datetime


@dataclass(frozen=True)
class TokenRow:
    """A valid token as its owner sees it; `prefix`, the beginning of the secret, identifies it."""

    prefix: str
    name: str
    created: datetime
    expiry: datetime | None
    scopes: list[str]
    last_used_on: date | None


def make_token(
    *, actor: User, name: str = "", scopes: Iterable[str] = (), hours: int | None = None
) -> NewToken:
    """Create a token for `actor` and return it with its secret.

    `scopes` limits what it may do (empty: everything that the person may), `hours` is its lifetime (1 to
    MAX_HOURS; None: TOKEN_HOURS). Raises TokenRefused.
    """
    chosen = sorted(set(scopes))
    unknown = [scope for scope in chosen if scope not in SCOPES]
    if unknown:
        raise TokenRefused("scope_unknown", _("There are the scopes {}.").format(", ".join(SCOPES)))
    if hours is not None and not 1 <= hours <= MAX_HOURS:
        raise TokenRefused("hours_invalid", _("A token lives from 1 to {} hours.").format(MAX_HOURS))
    lifetime = settings.REST_KNOX["TOKEN_TTL"] if hours is None else timedelta(hours=hours)
    with transaction.atomic():
        token, secret = AuthToken.objects.create(user=actor, expiry=lifetime)
        TokenDetails.objects.create(token=token, name=name[:60], scopes=chosen)
        expiry = token.expiry.isoformat(timespec="seconds")
        trail.record(actor=actor, verb="token_made", target=actor, scopes=chosen, expiry=expiry)
    return NewToken(secret=secret, expiry=token.expiry)


def tokens_of(user: User) -> list[TokenRow]:
    """Return the person's tokens that have not expired, newest first."""
    live = AuthToken.objects.filter(Q(expiry__isnull=True) | Q(expiry__gt=timezone.now()), user=user)
    return [_row(token) for token in live.select_related("details").order_by("-created", "digest")]


def _row(token: AuthToken) -> TokenRow:
    details = _details(token)
    return TokenRow(
        prefix=token.token_key,
        name=details.name if details else "",
        created=token.created,
        expiry=token.expiry,
        scopes=list(details.scopes) if details else [],
        last_used_on=details.last_used_on if details else None,
    )


def _details(token: AuthToken) -> TokenDetails | None:
    return getattr(token, "details", None)


def covers(*, token: AuthToken, scope: str) -> bool:
    """Return whether the token covers `scope`; "" is what only a token without scopes may do."""
    details = _details(token)
    return details is None or not details.scopes or scope in (ANY, *details.scopes)


def record_use(*, token: AuthToken) -> None:
    """Store the day of the token's last use; writes at most once a day."""
    details, today = _details(token), timezone.localdate()
    if details is not None and details.last_used_on != today:
        TokenDetails.objects.filter(pk=details.pk).update(last_used_on=today)


def revoke_token(*, actor: User, prefix: str) -> bool:
    """Revoke one of the person's own tokens; return False when none has that prefix."""
    with transaction.atomic():
        count, _kinds = AuthToken.objects.filter(user=actor, token_key=prefix).delete()
        if count:
            trail.record(actor=actor, verb="token_revoked", target=actor)
    return bool(count)


def revoke_all_tokens(*, actor: User) -> int:
    """Revoke all tokens of the person and return how many there were."""
    with transaction.atomic():
        mine = AuthToken.objects.filter(user=actor)
        number = mine.count()
        mine.delete()
        if number:
            trail.record(actor=actor, verb="tokens_revoked", target=actor, number=number)
    return int(number)
