"""Whether an AI result is withheld from a person, and to whom it was disclosed."""

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import ExpressionWrapper, OuterRef, Q, Value
from django.db.models.expressions import Combinable
from django.utils import timezone

from accounts.roles import may_review
from core.expressions import ExistsForRow
from core.users import AnyUser
from diagnosis.models.projects import Project


class ResultDisclosure(models.Model):
    """One reader who may see the AI result of one film, since they have signed their own read."""

    study = models.ForeignKey("diagnosis.Study", on_delete=models.CASCADE, related_name="disclosures")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "reader"], name="one_disclosure_each")]

    def __str__(self) -> str:
        return f"{self.study.reference} to {self.reader}"


def ai_hidden_from(user: AnyUser, *, study: str = "") -> dict[str, Combinable]:
    """Return the annotation `ai_hidden`: true where the study's AI result is withheld from `user` now.

    The one place where this is decided. `study` is the lookup path from the queried model to the film, for
    example "study" for predictions. Readers of a project that hides results see one after signing their read.
    """
    if not isinstance(user, User) or not user.is_active:
        return {"ai_hidden": Value(True)}
    if not may_review(user):
        return {"ai_hidden": Value(False)}
    prefix = f"{study}__" if study else ""
    opened = ResultDisclosure.objects.filter(reader=user, study=OuterRef(f"{prefix}pk"))
    hides = Q(**{f"{prefix}project__ai_visibility": Project.AiVisibility.HIDDEN})
    return {"ai_hidden": ExpressionWrapper(hides & ~ExistsForRow(opened), output_field=models.BooleanField())}


AI_SHOWN = Q(ai_hidden=False)  # filters querysets annotated with `ai_hidden`
