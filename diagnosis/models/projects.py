"""Projects and their members."""

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.roles import may_review, sees_every_project
from core.users import AnyUser


class ProjectQuerySet(models.QuerySet["Project"]):
    """Projects, narrowed to what a person may see."""

    def visible_to(self, user: AnyUser) -> "ProjectQuerySet":
        """Return the projects that `user` works in: all for auditors and administrators."""
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        if sees_every_project(user):
            return self
        mine = ProjectMembership.objects.filter(user=user).values("project")
        return self.filter(Q(open_to_all=True) | Q(pk__in=mine))

    def hiding_results_from(self, user: AnyUser) -> "ProjectQuerySet":
        """Return those for which `Project.hides_results_from` is true."""
        return self.filter(ai_visibility=Project.AiVisibility.HIDDEN) if may_review(user) else self.none()


class Project(models.Model):
    """A clinical study's collection of films. Membership decides who sees them."""

    class AiVisibility(models.TextChoices):
        SHOWN = "shown", _("Shown from the start")
        HIDDEN = "hidden", _("Hidden from a reader until they have signed their own read")

    slug = models.SlugField(unique=True, max_length=60)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    open_to_all = models.BooleanField(
        default=False, help_text=_("Everybody who can sign in works in this project, without membership.")
    )
    ai_visibility = models.CharField(
        _("AI result"),
        max_length=6,
        choices=AiVisibility.choices,
        default=AiVisibility.SHOWN,
        help_text=_("For readers. Uploaders, auditors and administrators who are no readers always see it."),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def hides_results_from(self, user: AnyUser) -> bool:
        """Whether the person must read films before seeing AI results; for one film see `ai_hidden_from`."""
        return self.ai_visibility == Project.AiVisibility.HIDDEN and may_review(user)


class ProjectMembership(models.Model):
    """One person's membership in one project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    since = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="one_membership_each")]

    def __str__(self) -> str:
        return f"{self.user} in {self.project}"
