"""Tags and notes: a project's tags, films tagged with them, notes about films."""

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
    """A field of the tag or note is invalid."""


def may_mark(user: AnyUser) -> bool:
    """Uploaders, readers and administrators tag films and write notes."""
    return may_upload(user) or may_review(user)


def make_tag(
    *, actor: User, project: Project, name: str, colour: str = Tag.Colour.GREY, before_reading: bool = False
) -> Tag:
    """Add a tag to the project. Raises NotAllowed, MarkRefused, or Conflict for a name in use."""
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
    """Remove a tag from the project and its films. Raises NotAllowed for all but administrators."""
    _check_administrator(actor)
    with transaction.atomic():
        trail.record(actor=actor, verb="tag_removed", target=tag.project, tag=tag.pk)
        tag.delete()


def tag_film(*, actor: User, study: Study, tag: Tag) -> None:
    """Tag a film with a tag of its project, once per actor. Raises NotAllowed, MarkRefused."""
    _check_may_mark(actor, study)
    if tag.project_id != study.project_id:
        raise MarkRefused("tag_invalid", _("Choose a tag of the film's project."))
    with transaction.atomic():
        _put, is_new = FilmTag.objects.get_or_create(study=study, tag=tag, author=actor)
        if is_new:
            trail.record(actor=actor, verb="film_tagged", target=study, tag=tag.pk)


def untag_film(*, actor: User, study: Study, tag: Tag) -> None:
    """Remove the actor's own tag from a film, or everybody's for administrators. Raises NotAllowed."""
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
