"""Tags of a project, tags on films, and notes."""

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.users import AnyUser
from diagnosis.models import Project, Study, ai_hidden_from, film_visible_to
from reading.models.opinions import OTHERS_SHOWN, others_hidden_from


class Tag(models.Model):
    """A tag of a project."""

    class Colour(models.TextChoices):
        GREY = "grey", _("Grey")
        BLUE = "blue", _("Blue")
        GREEN = "green", _("Green")
        AMBER = "amber", _("Amber")
        RED = "red", _("Red")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(_("Name"), max_length=40)
    colour = models.CharField(_("Colour"), max_length=5, choices=Colour.choices, default=Colour.GREY)
    before_reading = models.BooleanField(
        _("Readers see it before they have signed"),
        default=False,
        help_text=_("Only for what says nothing about the finding or the AI result."),
    )

    class Meta:
        ordering = [Lower("name"), "pk"]
        constraints = [models.UniqueConstraint("project", Lower("name"), name="one_tag_of_a_name")]

    def __str__(self) -> str:
        return self.name


class MarkQuerySet(models.QuerySet[models.Model]):
    """Tags on films, or notes, narrowed to what a person may see."""

    def visible_to(self, user: AnyUser) -> "MarkQuerySet":
        """Return marks of visible films; while opinions are withheld, own ones and `before_reading` tags."""
        if not isinstance(user, User):
            return self.none()
        marks = self.filter(film_visible_to(user, study="study"))
        marks = marks.annotate(**ai_hidden_from(user, study="study"))
        marks = marks.annotate(**others_hidden_from(user, study="study"))
        always = Q(author=user)
        if self.model is FilmTag:
            always |= Q(tag__before_reading=True)
        shown: MarkQuerySet = marks.filter(OTHERS_SHOWN | always)
        return shown


class FilmTag(models.Model):
    """A tag on a film; two people may set the same one without seeing each other's."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="film_tags")
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="film_tags")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    put_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = MarkQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["study", "tag", "author"], name="one_tag_each")]

    def __str__(self) -> str:
        return f"{self.tag} on {self.study.reference}"


class Note(models.Model):
    """A note about a film; never changed."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(max_length=2000)
    written_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = MarkQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.author} on {self.study.reference}"
