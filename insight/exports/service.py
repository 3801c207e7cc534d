"""Exports: permission, rows, and the audit event of each export."""

import base64
import hashlib
import hmac
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from accounts.roles import may_export
from audit import trail
from core.errors import NotAllowed, Refused
from core.secrets import load_or_create_secret
from core.version import VERSION
from diagnosis.models import ModelVersion, Study, StudyQuerySet
from diagnosis.studies import search
from diagnosis.studies.blinding import shown_prediction
from insight.exports.columns import cells_of
from insight.exports.row import Cell, ExportRow
from reading.models import Adjudication, FilmTag, Note, Review, others_withheld
from reading.models.opinions import with_opinions

CHUNK = 500  # films a query: memory stays flat, and no query is open while a slow client downloads
USERNAME, CODE = "username", "code"
NAMES_OF_PEOPLE = (USERNAME, CODE)
# Filters that the audit trail keeps only as "given": people type names into them.
_NOT_KEPT = {"q", "subject_code"}
_NO_READS: list[Review | None] = [None]


class ExportRefused(Refused):
    """The export is too large for its kind, or an option is unknown."""


def check_may_export(user: User) -> None:
    """Raise NotAllowed for people who are neither reader, auditor nor administrator."""
    if not may_export(user):
        message = _("Readers, auditors and administrators can export. Ask an administrator.")
        raise NotAllowed("no_exports", message)


@dataclass
class Export:
    """Films selected by one person, and their rows. `rows_given` counts the rows yielded so far."""

    actor: User
    studies: StudyQuerySet
    filters: Mapping[str, str]
    people: str
    at: datetime = field(default_factory=timezone.now)
    rows_given: int = 0

    @property
    def films(self) -> int:
        """Number of films selected when the export began."""
        return len(self._chosen)

    @cached_property
    def _chosen(self) -> "array[int]":
        """The films' keys in order, eight bytes each, so that the selection is queried once."""
        numbers = self.studies.order_by("pk").values_list("pk", flat=True)
        return array("q", numbers.iterator(chunk_size=5000))

    def chunks(self) -> Iterator[list[Study]]:
        """Yield the films that are still visible in chunks by key, with what a row needs."""
        films = search.for_display(with_opinions(self.studies.prefetch_related(None), self.actor))
        for start in range(0, len(self._chosen), CHUNK):
            numbers = self._chosen[start : start + CHUNK].tolist()
            if chunk := list(films.filter(Q(pk__in=numbers)).order_by("pk")):
                yield chunk

    def rows(self) -> Iterator[list[Cell]]:
        """Yield the cells of each row in the order of COLUMNS; a chunk takes a fixed number of queries."""
        self.rows_given = 0
        for chunk in self.chunks():
            reads, addenda = _reads_of(self.actor, chunk)
            decisions, (tags, notes) = decisions_on(chunk), _marks_on(self.actor, chunk)
            for study in chunk:
                prediction = shown_prediction(study)
                for read in [*reads[study.pk]] or _NO_READS:
                    added = addenda[read.pk] if read is not None else []
                    row = ExportRow(
                        study,
                        prediction,
                        self._who,
                        read,
                        added,
                        decisions.get(study.pk),
                        tags[study.pk],
                        notes[study.pk],
                    )
                    self.rows_given += 1
                    yield cells_of(row)

    @cached_property
    def _codes(self) -> dict[int, str]:
        return {}

    def _who(self, person: int, username: str) -> str:
        if self.people == USERNAME and "@" not in username:
            return username
        if person not in self._codes:
            self._codes[person] = person_code(person)
        return self._codes[person]

    def about(self) -> list[list[Cell]]:
        """Return facts about the export as pairs of name and value; `rows` counts those yielded so far."""
        chosen: list[list[Cell]] = [[f"filter_{name}", value] for name, value in self.filters.items()]
        model = ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE).first()
        return [
            ["exported_at", self.at],
            ["films", self.films],
            ["rows", self.rows_given],
            *chosen,
            ["people", self.people],
            ["software", software()],
            ["active_model_version", model.version if model else None],
            ["active_model_weights_sha256", model.weights_sha256 if model else None],
            ["times", "UTC, ISO 8601"],
            ["text_guard", "a text that begins with = + - @ or a control character has a ' put before it"],
            ["disclaimer", settings.DISCLAIMER],
        ]


def _reads_of(actor: User, chunk: list[Study]) -> tuple[dict[int, list[Review]], dict[int, list[Review]]]:
    """Return the reads of each film that `actor` may see now, and the signed addenda of each read."""
    visible = Review.objects.filter(study__in=[study.pk for study in chunk]).shown_to(actor)
    first = Q(addendum_to=None) & (Q(signed_at__isnull=False) | Q(is_current=True))
    reads: dict[int, list[Review]] = defaultdict(list)
    addenda: dict[int, list[Review]] = defaultdict(list)
    for read in visible.filter(first).select_related("reader").order_by("pk"):
        reads[read.study_id].append(read)
    for added in visible.signed().filter(addendum_to__isnull=False).order_by("pk"):
        addenda[added.addendum_to_id or 0].append(added)
    return reads, addenda


def _marks_on(actor: User, chunk: list[Study]) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    """Return the names of tags and the texts of notes on each film that `actor` may see now."""
    tags: dict[int, list[str]] = defaultdict(list)
    notes: dict[int, list[str]] = defaultdict(list)
    films = [study.pk for study in chunk]
    put = FilmTag.objects.filter(study__in=films).visible_to(actor).order_by("tag__name")
    for film, name in put.values_list("study_id", "tag__name").distinct():
        tags[film].append(name)
    written = Note.objects.filter(study__in=films).visible_to(actor).order_by("pk")
    for film, text in written.values_list("study_id", "text"):
        notes[film].append(text)
    return tags, notes


def decisions_on(films: Iterable[Study]) -> dict[int, Adjudication]:
    """Return the newest adjudication of each film whose reads are not withheld (see `with_opinions`)."""
    open_films = [study.pk for study in films if not others_withheld(study)]
    decisions = Adjudication.objects.filter(study__in=open_films).select_related("adjudicator").order_by("pk")
    return {decision.study_id: decision for decision in decisions}


def person_name(person: int, username: str) -> str:
    """Return the user name, or the code where the user name looks like an e-mail address."""
    return username if "@" not in username else person_code(person)


def person_code(person: int) -> str:
    """Return a person's code, such as R-K3VZ6Q2M: keyed, the same in every export of this installation."""
    key = load_or_create_secret(Path(settings.VAR_DIR) / "pseudonym_key").encode("ascii")
    digest = hmac.new(key, f"person\x1f{person}".encode(), hashlib.sha256).digest()
    return f"R-{base64.b32encode(digest)[:8].decode('ascii')}"


def software() -> str:
    """Return name and version of this program."""
    return f"pneumoweb {VERSION}"


def begin_export(
    *,
    actor: User,
    studies: StudyQuerySet,
    filters: Mapping[str, str],
    kind: str,
    people: str = USERNAME,
    most_films: int | None = None,
) -> Export:
    """Check that `actor` may export, record it in the audit trail, and return the export.

    `studies` come from `visible_to(actor)`, narrowed by `filters` (name and value, as sent). `people` is
    one of NAMES_OF_PEOPLE. Raises NotAllowed; ExportRefused where more than `most_films` are selected.
    """
    check_may_export(actor)
    if people not in NAMES_OF_PEOPLE:
        raise ExportRefused("people_unknown", _("People are named by “username” or by “code”."))
    export = Export(actor, studies, filters, people)
    if most_films is not None and export.films > most_films:
        message = _(
            "%(films)d films are too many for this kind of export, which holds %(most)d. Narrow the choice."
        )
        raise ExportRefused("export_too_large", message % {"films": export.films, "most": most_films})
    kept = {name: "given" if name in _NOT_KEPT else value for name, value in filters.items()}
    trail.record(
        actor=actor, verb="films_exported", kind=kind, films=export.films, filters=kept, people=people
    )
    return export
