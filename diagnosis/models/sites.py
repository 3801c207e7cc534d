"""Sites: the centres of a multi-centre study, each with a code of its own within its project."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from core.users import AnyUser
from diagnosis.models.projects import Project


class SiteQuerySet(models.QuerySet["Site"]):
    """Sites, narrowed to what a person may see."""

    def visible_to(self, user: AnyUser) -> "SiteQuerySet":
        """Return the sites of the projects that `user` works in."""
        return self.filter(project__in=Project.objects.visible_to(user))


class Site(models.Model):
    """One centre of a project. Subject codes belong to a site: the same code at two is two subjects."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="sites")
    code = models.CharField(
        _("Code"),
        max_length=20,
        validators=[
            RegexValidator(r"^[A-Za-z0-9._-]+\Z", _("Use letters, digits, dot, dash and underscore."))
        ],
        help_text=_("Short, for example 01 or BER. Films, lists and exports carry it."),
    )
    name = models.CharField(_("Name"), max_length=120)

    objects = SiteQuerySet.as_manager()

    class Meta:
        ordering = ["code", "pk"]
        constraints = [models.UniqueConstraint("project", Lower("code"), name="one_site_of_a_code")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"
