"""Saved views: named filters of a list."""

import uuid

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.users import AnyUser
from diagnosis.models import Project


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    """Saved views, narrowed to what a person may use."""

    def visible_to(self, user: AnyUser) -> "SavedViewQuerySet":
        """Return one's own and those that others share with the projects one works in."""
        if not isinstance(user, User):
            return self.none()
        return self.filter(Q(owner=user) | Q(shared_with__in=Project.objects.visible_to(user)))


class SavedView(models.Model):
    """A person's filters of one list. Whoever uses it sees only films visible to them."""

    class Page(models.TextChoices):
        FILMS = "films", _("Films")
        WORKLIST = "worklist", _("Worklist")

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    shared_with = models.ForeignKey(Project, on_delete=models.CASCADE, null=True, related_name="saved_views")
    page = models.CharField(max_length=8, choices=Page.choices)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=600, blank=True)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["owner", "page", "name"], name="one_view_of_a_name")]

    def __str__(self) -> str:
        return self.name
