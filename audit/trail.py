"""Appends audit events in the caller's transaction; verifies the hash chain."""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import models, transaction
from django.utils import timezone

from audit.models import AuditEvent, AuditHead
from core.users import AnyUser

GENESIS = "0" * 64
SYSTEM = "system"
HEADS_FILE = "heads.txt"

FAULTS = {
    "event_missing": "an event is missing before it",
    "order_changed": "it does not follow on the event before it",
    "event_changed": "it was changed after it was written",
    "head_missing": "the end of the trail is no longer recorded",
    "tail_missing": "the newest events are missing",
    "tail_added": "it was added past the recorded end of the trail",
    "note_differs": "the trail differs from the hash that was noted",
}


@dataclass(frozen=True)
class ChainReport:
    """What a verification found: the number of intact events, the hash of the last of them, the first fault.

    `broken_at` is the number (seq) of the first event that is wrong or missing, None for an intact chain;
    `code` is then a key of FAULTS, else "".
    """

    events: int
    head: str
    broken_at: int | None = None
    code: str = ""

    @property
    def is_whole(self) -> bool:
        """True when every event is there, unchanged and in order."""
        return self.broken_at is None

    @property
    def reason(self) -> str:
        """The fault in words; "" when there is none."""
        return FAULTS.get(self.code, "")


def record(
    *, actor: AnyUser | None, verb: str, target: models.Model | None = None, **details: Any
) -> AuditEvent:
    """Append one event and return it; `details` must be JSON and hold no names, tokens or file names.

    Runs in the caller's transaction, so that an event exists exactly when its change does: an event that
    cannot be written rolls back the caller's change too, hence no savepoint. The head row, created by a
    migration, is locked until the end of the transaction; other transactions wait for it.
    """
    with transaction.atomic(savepoint=False):
        head = AuditHead.objects.select_for_update().get(pk=1)
        event = AuditEvent(
            seq=head.last_seq + 1,
            at=timezone.now(),
            actor_id=actor.pk if isinstance(actor, User) else None,
            actor_name=actor.get_username() if isinstance(actor, User) else SYSTEM,
            verb=verb,
            object_type=target._meta.model_name or "" if target is not None else "",
            object_id=_object_id(target),
            details=details,
            previous_hash=head.last_hash,
        )
        event.hash = event_hash(event)
        event.save(force_insert=True)
        head.last_seq, head.last_hash = event.seq, event.hash
        head.save(update_fields=["last_seq", "last_hash"])
    return event


def _object_id(target: models.Model | None) -> str:
    if target is None:
        return ""
    return str(getattr(target, "uid", None) or target.pk)


def event_hash(event: AuditEvent) -> str:
    """Return the SHA-256 of the event's content together with its predecessor's hash."""
    content = [
        event.seq,
        event.at.isoformat(),
        event.actor_id,
        event.actor_name,
        event.verb,
        event.object_type,
        event.object_id,
        event.details,
        event.previous_hash,
    ]
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def verify_chain(*, noted: tuple[int, str] | None = None) -> ChainReport:
    """Read every event in order and check the chain, in constant memory.

    `noted` is the number and hash of an event as somebody wrote them down elsewhere. Only that detects a
    trail rewritten as a whole by somebody with write access to the database.
    """
    count, previous = 0, GENESIS
    for event in _events_in_order():
        code = _fault(event, count + 1, previous)
        if not code and noted is not None and noted[0] == event.seq and noted[1] != event.hash:
            code = "note_differs"
        if code:
            return ChainReport(count, previous, event.seq, code)
        count, previous = event.seq, event.hash
    code = _fault_at_the_end(count, previous, noted)
    if code:
        return ChainReport(count, previous, count if code == "tail_added" else count + 1, code)
    return ChainReport(count, previous)


def _events_in_order() -> Iterator[AuditEvent]:
    return AuditEvent.objects.order_by("seq").iterator(chunk_size=2000)


def _fault(event: AuditEvent, expected_seq: int, previous: str) -> str:
    if event.seq != expected_seq:
        return "event_missing"
    if event.previous_hash != previous:
        return "order_changed"
    return "" if event.hash == event_hash(event) else "event_changed"


def _fault_at_the_end(count: int, last_hash: str, noted: tuple[int, str] | None) -> str:
    head = AuditHead.objects.filter(pk=1).first()
    if head is None:
        return "head_missing"
    if head.last_seq < count:
        return "tail_added"
    if (head.last_seq, head.last_hash) != (count, last_hash) or (noted is not None and noted[0] > count):
        return "tail_missing"
    return ""


def listen_to_sign_ins() -> None:
    """Record Django's sign-in signals; called once by the app's `ready`."""
    user_logged_in.connect(_signed_in, dispatch_uid="audit-signed-in")
    user_logged_out.connect(_signed_out, dispatch_uid="audit-signed-out")
    user_login_failed.connect(_sign_in_failed, dispatch_uid="audit-sign-in-failed")


def _signed_in(sender: Any, user: User, **kwargs: Any) -> None:
    record(actor=user, verb="signed_in", target=user)


def _signed_out(sender: Any, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        record(actor=user, verb="signed_out", target=user)


def _sign_in_failed(sender: Any, credentials: dict[str, Any], **kwargs: Any) -> None:
    # The typed name may be a mistyped password, so only a known account is named.
    known = User.objects.filter(username=credentials.get("username", "")).first()
    record(actor=None, verb="sign_in_failed", target=known)


def export_head(*, folder: Path) -> ChainReport:
    """Verify the chain and append “time number:hash” to `folder`/heads.txt, unless it is there already.

    Nothing is written for a broken or empty chain. Copy the file elsewhere: only a line that nobody could
    change detects a trail rewritten as a whole.
    """
    report = verify_chain()
    if not report.is_whole or not report.events:
        return report
    folder.mkdir(parents=True, exist_ok=True)
    heads = folder / HEADS_FILE
    noted = f"{report.events}:{report.head}"
    if heads.is_file() and noted in heads.read_text(encoding="ascii"):
        return report
    with heads.open("a", encoding="ascii") as stream:
        stream.write(f"{timezone.now().isoformat(timespec='seconds')} {noted}\n")
        stream.flush()
        os.fsync(stream.fileno())
    return report
