"""Fills an empty, migrated database with studies, results, reads and events, by INSERT … SELECT.

Nothing here is a person or a film: all rows share one small picture. Two years, six projects, ten people.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module

from django.contrib.auth.models import Group, User
from django.db import connection, models, transaction
from django.utils import timezone

from accounts import roles
from audit.models import AuditEvent, AuditHead
from diagnosis.inference.registry import active_model
from diagnosis.intake.submission import submit_study
from diagnosis.models import Prediction, Project, ResultDisclosure, Study, newest_prediction
from diagnosis.models import ProjectMembership as Membership
from insight.models import ChangedHour
from insight.statistics.daily_rollups import refresh_all
from reading.models import ReadingSettings, Review

DAYS = 730
READERS, UPLOADERS = 6, 2
# Share of the films in per cent, reads per film (0: everybody's), whether readers see the AI beforehand.
PROJECTS = [(40, 1, True), (25, 2, True), (15, 0, True), (10, 1, False), (9, 1, True), (1, 1, True)]
READ_AT_FIRST, READ_LATER = 20, 13  # per cent: all of the oldest films, and of the others up to some days ago
LAG = 0.995  # share of films after which nobody has read any yet
# Triggers that keep sums would run for each row: they are set again after the last one.
TRIGGERS = (
    "diagnosis.migrations.0014_lists_of_a_million",
    "reading.migrations.0008_reads_kept",
    "insight.migrations.0001_day_figures",
)


@dataclass
class People:
    """Who asks: readers work in all projects but the last, uploaders in the first three."""

    readers: list[User] = field(default_factory=list)
    uploaders: list[User] = field(default_factory=list)
    auditor: User | None = None
    administrator: User | None = None

    @property
    def all(self) -> list[User]:
        """All ten."""
        return [*self.readers, *self.uploaders, *filter(None, [self.auditor, self.administrator])]


def people() -> People:
    """Return the people, made where they are not there yet."""
    found = People()
    for kind, count in (
        (roles.READER, READERS), (roles.UPLOADER, UPLOADERS), (roles.AUDITOR, 1), (roles.ADMINISTRATOR, 1),
    ):  # fmt: skip
        for number in range(count):
            user, made = User.objects.get_or_create(username=f"{kind}-{number}")
            if made:
                user.groups.add(Group.objects.get(name=kind))
                if kind == roles.READER and number < 2:
                    user.groups.add(Group.objects.get(name=roles.UPLOADER))
            if kind == roles.READER:
                found.readers.append(user)
            elif kind == roles.UPLOADER:
                found.uploaders.append(user)
            elif kind == roles.AUDITOR:
                found.auditor = user
            else:
                found.administrator = user
    return found


def projects(who: People) -> list[Project]:
    """Return the projects with their rules and members, made where they are not there yet."""
    found = []
    for number, (_share, reads, shown) in enumerate(PROJECTS):
        project, made = Project.objects.get_or_create(
            slug=f"cohort-{number}",
            defaults={
                "name": f"Cohort {number}",
                "ai_visibility": Project.AiVisibility.SHOWN if shown else Project.AiVisibility.HIDDEN,
            },
        )
        found.append(project)
        if not made:
            continue
        ReadingSettings.objects.create(project=project, reads_per_film=reads)
        members = [*who.readers, *who.uploaders] if number < 3 else who.readers
        for user in members if number < len(PROJECTS) - 1 else [who.readers[0]]:
            Membership.objects.create(project=project, user=user)
    return found


def template_film(project: Project, user: User, film: bytes) -> tuple[Study, Prediction]:
    """Submit one film as everybody does: what the other rows are copied from, its files included."""
    study = submit_study(actor=user, project=project, data=film, subject_code="T-000000").study
    prediction = newest_prediction(study)
    assert prediction is not None
    Prediction.objects.filter(pk=prediction.pk).update(
        status=Prediction.Status.SUCCEEDED,
        attempts=1,
        started_at=timezone.now(),
        finished_at=timezone.now(),
        logit=0.5,
        probability=0.6,
        calibrated_probability=0.6,
        outcome=Prediction.Outcome.PNEUMONIA,
        layer="block5_conv3",
        cam=[[round(0.013 * row + 0.0017 * column, 6) for column in range(14)] for row in range(14)],
        cam_area=[0.0, 0.0, 1.0, 1.0],
        cam_strength=0.2,
        scope_flags=[],
        map_flags=[],
        preprocess_ms=5.0,
        forward_ms=150.0,
    )
    prediction.refresh_from_db()
    return study, prediction


def fill(count: int, film: bytes) -> None:
    """Bring the database to `count` studies in all."""
    who = people()
    places = projects(who)
    active_model()
    study, prediction = template_film(places[0], who.uploaders[0], film)
    _hurry()
    with transaction.atomic():
        _triggers("remove")
        _studies(count - 1, study, places, who)
        _predictions(prediction, study)
        for turn in range(2):
            _reads(turn, places, who)
        _events(study)
        ChangedHour.objects.all().delete()
        _count_as_autovacuum("ANALYZE")  # installing sets the columns of all films: else it takes hours
        _triggers("install")
    refresh_all()
    _count_as_autovacuum("VACUUM ANALYZE")
    connection.close()


def _count_as_autovacuum(statement: str) -> None:
    """Do what autovacuum does as rows come in; SQLite gets its counts at each start."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(statement)


def _hurry() -> None:
    """Trade safety for speed on this connection: what is lost is filled again."""
    hurried = {
        "sqlite": ["PRAGMA synchronous=OFF", "PRAGMA cache_size=-600000", "PRAGMA temp_store=MEMORY"],
        "postgresql": [
            "SET synchronous_commit=off",
            "SET maintenance_work_mem='512MB'",
            "SET work_mem='256MB'",
        ],
    }
    with connection.cursor() as cursor:
        for statement in hurried[connection.vendor]:
            cursor.execute(statement)


class _Editor:
    """What a migration's function looks at of a schema editor: the connection."""

    connection = connection


def _triggers(what: str) -> None:
    """Call `install` or `remove` of the migrations that set triggers."""
    for name in TRIGGERS:
        getattr(import_module(name), what)(None, _Editor())


class Sql:
    """The few functions that SQLite and PostgreSQL call by different names."""

    def __init__(self) -> None:
        self.is_postgres = connection.vendor == "postgresql"

    def numbers(self, count: int) -> str:
        """A table `n` of one column `i`, 1 to `count`."""
        if self.is_postgres:
            return f"(SELECT generate_series(1, {count}) AS i) AS n"
        return (
            f"(WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {count}) "
            "SELECT i FROM c) AS n"
        )

    def uid(self) -> str:
        """A fresh identifier."""
        return "gen_random_uuid()" if self.is_postgres else "lower(hex(randomblob(16)))"

    def moment(self, seconds: str) -> str:
        """A moment from seconds since 1970."""
        if self.is_postgres:
            return f"to_timestamp({seconds})"
        return f"strftime('%Y-%m-%d %H:%M:%f000', {seconds}, 'unixepoch')"

    def later(self, column: str, seconds: str) -> str:
        """The moment `seconds` after the one in a column."""
        if self.is_postgres:
            return f"{column} + make_interval(secs => {seconds})"
        return f"strftime('%Y-%m-%d %H:%M:%f000', {column}, '+' || ({seconds}) || ' seconds')"

    def padded(self, number: str, digits: int) -> str:
        """A number as text with zeros before it."""
        if self.is_postgres:
            return f"lpad(({number})::text, {digits}, '0')"
        return f"printf('%0{digits}d', {number})"

    def sum_of(self, number: str) -> str:
        """Sixty-four hexadecimal digits that differ from film to film."""
        return f"'00000000000000000000000000000000' || {self.padded(number, 32)}"


def _insert(model: type[models.Model], values: dict[str, str], source: str, template: str = "") -> None:
    """INSERT … SELECT every column of the model: those of `values`, the others from the row `template`."""
    columns = [
        one.column
        for one in model._meta.concrete_fields
        if not one.primary_key and not getattr(one, "generated", 0)
    ]
    if missing := [name for name in values if name not in columns and name != model._meta.pk.column]:  # type: ignore[union-attr]
        raise ValueError(f"No such columns: {missing}")
    columns = [*columns, *(name for name in values if name not in columns)]
    chosen = [values.get(column, f'{template}."{column}"') for column in columns]
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT {", ".join(chosen)} FROM {source}'
        )


def _studies(count: int, study: Study, places: list[Project], who: People) -> None:
    """Spread over two years, the newest now; each subject has two films."""
    sql, now = Sql(), timezone.now().timestamp()
    bounds, cases = 0, ""
    for (share, _reads_wanted, _shown), project in zip(PROJECTS, places, strict=True):
        bounds += share
        cases += f"WHEN (i * 37) % 100 < {bounds} THEN {project.pk} "
    uploaders = " ".join(
        f"WHEN i % {UPLOADERS} = {place} THEN {user.pk}" for place, user in enumerate(who.uploaders)
    )
    step = DAYS * 86_400 / count
    _insert(
        Study,
        {
            "uid": sql.uid(),
            "project_id": f"CASE {cases} END",
            "subject_code": f"'S-' || {sql.padded('i / 2', 7)}",
            "sha256": sql.sum_of("i"),
            "uploaded_by_id": f"CASE {uploaders} END",
            "created_at": sql.moment(f"{now} - ({count} - i + 1) * {step}"),
        },
        f"{sql.numbers(count)}, (SELECT * FROM diagnosis_study WHERE id = {study.pk}) AS t ORDER BY i",
        "t",
    )


def _predictions(prediction: Prediction, study: Study) -> None:
    """One of each film: one of a hundred has failed, the newest twenty wait."""
    sql = Sql()
    failed, waits = "s.id % 100 = 7", "s.id > (SELECT max(id) - 20 FROM diagnosis_study)"
    took = sql.later("s.created_at", "1 + (s.id * 31) % 40")
    done = f"NOT ({failed}) AND NOT ({waits})"
    score = "(CASE WHEN s.id % 3 = 0 THEN 0.55 ELSE 0.02 END + ((s.id * 7919) % 1000) * 0.00044)"
    empty = {
        name: f'CASE WHEN {done} THEN t."{name}" END'
        for name in ("cam", "cam_area", "cam_strength", "scope_flags", "map_flags", "logit", "forward_ms")
    }
    _insert(
        Prediction,
        {
            **empty,
            "uid": sql.uid(),
            "study_id": "s.id",
            "status": f"CASE WHEN {failed} THEN 'failed' WHEN {waits} THEN 'queued' ELSE 'succeeded' END",
            "failure_code": f"CASE WHEN {failed} THEN 'gave_up' ELSE '' END",
            "queued_at": "s.created_at",
            "finished_at": f"CASE WHEN NOT ({waits}) THEN {took} END",
            "probability": f"CASE WHEN {done} THEN {score} END",
            "calibrated_probability": f"CASE WHEN {done} THEN {score} END",
            "outcome": f"CASE WHEN {done} THEN CASE WHEN {score} >= 0.5 THEN 'pneumonia' ELSE 'normal' END "
            "ELSE '' END",
        },
        f"diagnosis_study AS s, (SELECT * FROM diagnosis_prediction WHERE id = {prediction.pk}) AS t "
        f"WHERE s.id <> {study.pk} ORDER BY s.id",
        "t",
    )


def _reads(turn: int, places: list[Project], who: People) -> None:
    """Signed reads of the oldest films, by the readers in turn; where two are wanted, a second one."""
    sql = Sql()
    wanted = [
        project.pk
        for project, (_share, reads, _shown) in zip(places, PROJECTS, strict=True)
        if turn < max(1, reads)
    ]
    readers = " ".join(
        f"WHEN (s.id / 2 + {turn}) % {READERS} = {place} THEN {user.pk}"
        for place, user in enumerate(who.readers)
    )
    newest = "(SELECT max(id) FROM diagnosis_study)"
    older = (
        f"(s.id <= {newest} * {READ_AT_FIRST} / 100 "
        f"OR ((s.id * 13) % 100 < {READ_LATER} AND s.id <= {newest} * {LAG}))"
    )
    template = _template_review(who)
    _insert(
        Review,
        {
            "uid": sql.uid(),
            "study_id": "s.id",
            "reader_id": f"CASE {readers} END",
            "finding": "CASE WHEN s.id % 10 = 3 THEN 'other' WHEN (s.id % 3 = 0) = (s.id % 11 <> 5) "
            "THEN 'pneumonia' ELSE 'normal' END" if turn == 0 else
            "CASE WHEN (s.id % 3 = 0) = (s.id % 17 <> 5) THEN 'pneumonia' ELSE 'normal' END",
            "confidence": "40 + s.id % 60",
            "agrees_with_ai": "s.id % 7 <> 0",
            "created_at": sql.later("s.created_at", "3600 + (s.id * 53) % 200000"),
            "signed_at": sql.later("s.created_at", "3700 + (s.id * 53) % 200000"),
        },
        f"diagnosis_study AS s, (SELECT * FROM reading_review WHERE id = {template.pk}) AS t "
        f"WHERE {older} AND s.project_id IN ({', '.join(map(str, wanted))}) "
        f"AND s.id <> {template.study_id} ORDER BY s.id",
        "t",
    )  # fmt: skip
    template.delete()
    if turn == 0:
        return
    _insert(
        ResultDisclosure,
        {"study_id": "r.study_id", "reader_id": "r.reader_id", "opened_at": "r.signed_at"},
        "reading_review AS r",
    )


def _template_review(who: People) -> Review:
    film = Study.objects.order_by("pk").first()
    assert film is not None
    return Review.objects.create(
        study=film, reader=who.readers[0], finding="normal", confidence=50, agrees_with_ai=True
    )


def _events(study: Study) -> None:
    """An event for each film; the hashes are no chain, so nothing here may be verified."""
    sql, head = Sql(), AuditHead.objects.get(pk=1)
    _insert(
        AuditEvent,
        {
            "seq": f"{head.last_seq} + s.id",
            "at": "s.created_at",
            "verb": "CASE WHEN s.id % 3 = 0 THEN 'study_viewed' ELSE 'study_submitted' END",
            "actor_name": "'uploader-' || (s.id % 2)",
            "object_id": "CAST(s.uid AS char(36))",
            "hash": sql.sum_of("s.id"),
        },
        f"diagnosis_study AS s, (SELECT * FROM diagnosis_auditevent WHERE seq = {head.last_seq}) AS t "
        "ORDER BY s.id",
        "t",
    )
    newest = AuditEvent.objects.order_by("-seq").values_list("seq", "hash")[0]
    AuditHead.objects.filter(pk=1).update(last_seq=newest[0], last_hash=newest[1])
