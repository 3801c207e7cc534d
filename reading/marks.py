"""The verbs of tags and notes: a project's words, put on films, and what is written about a film."""

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.roles import may_administer, may_review, may_upload, require
from audit import trail
from core.errors import Conflict, NotAllowed, Refused
from core.users import AnyUser
from diagnosis.models import Project, Study
from reading.models import FilmTag, Note, Tag

MAX_NAME = 40
MAX_NOTE = 2000


class MarkRefused(Refused):
    """The tag's or note's fields do not make sense."""


def may_mark(user: AnyUser) -> bool:
    """Uploaders, readers and administrators tag films and write notes."""
    return may_upload(user) or may_review(user)


def make_tag(
    *, actor: User, project: Project, name: str, colour: str = Tag.Colour.GREY, before_reading: bool = False
) -> Tag:
    """Add a word to the project's tags. Raises NotAllowed, MarkRefused, or Conflict for one that is there."""
    _check_administrator(actor)
    name = " ".join(name.split())
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        message = _("A tag has a name of at most %(most)d characters.") % {"most": MAX_NAME}
        raise MarkRefused("name_invalid", message)
    if colour not in Tag.Colour.values:
        raise MarkRefused("colour_invalid", _("Choose a colour of the list."))
    try:
        with transaction.atomic():
            tag = Tag.objects.create(project=project, name=name, colour=colour, before_reading=before_reading)
            trail.record(
                actor=actor, verb="tag_made", target=project, tag=tag.pk, before_reading=before_reading
            )
    except IntegrityError as error:
        raise Conflict("tag_exists", _("The project has a tag of this name.")) from error
    return tag


def remove_tag(*, actor: User, tag: Tag) -> None:
    """Take a word out of the project's tags, and off its films. Raises NotAllowed: administrators only."""
    _check_administrator(actor)
    with transaction.atomic():
        trail.record(actor=actor, verb="tag_removed", target=tag.project, tag=tag.pk)
        tag.delete()


def tag_film(*, actor: User, study: Study, tag: Tag) -> None:
    """Put a tag of its project on a film, unless the actor has done so. Raises NotAllowed, MarkRefused."""
    _check_may_mark(actor, study)
    if tag.project_id != study.project_id:
        raise MarkRefused("tag_invalid", _("Choose a tag of the film's project."))
    with transaction.atomic():
        _put, is_new = FilmTag.objects.get_or_create(study=study, tag=tag, author=actor)
        if is_new:
            trail.record(actor=actor, verb="film_tagged", target=study, tag=tag.pk)


def untag_film(*, actor: User, study: Study, tag: Tag) -> None:
    """Take the actor's own tag off a film; administrators take off everybody's. Raises NotAllowed."""
    _check_may_mark(actor, study)
    put = FilmTag.objects.filter(study=study, tag=tag)
    if not may_administer(actor):
        put = put.filter(author=actor)
    with transaction.atomic():
        if put.delete()[0]:
            trail.record(actor=actor, verb="film_untagged", target=study, tag=tag.pk)


def write_note(*, actor: User, study: Study, text: str) -> Note:
    """Write a note about a film. Raises NotAllowed, MarkRefused for an empty or too long one."""
    _check_may_mark(actor, study)
    text = text.strip()
    if not 0 < len(text) <= MAX_NOTE:
        message = _("A note has 1 to %(most)d characters.") % {"most": MAX_NOTE}
        raise MarkRefused("note_invalid", message)
    with transaction.atomic():
        note = Note.objects.create(study=study, author=actor, text=text)
        trail.record(actor=actor, verb="note_written", target=study, note=note.pk)
    return note


def _check_administrator(actor: User) -> None:
    require(actor, may_administer, _("Only an administrator changes a project's tags."))


def _check_may_mark(actor: User, study: Study) -> None:
    if not may_mark(actor) or not Study.objects.visible_to(actor).filter(pk=study.pk).exists():
        raise NotAllowed("no_marks", _("Your account may not mark this film. Ask an administrator."))
