"""The administration's pages of AI results."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin_site import ReadOnlyAdmin, admin_site
from core.errors import Conflict
from diagnosis.inference.failures import FAILURES
from diagnosis.inference.requests import request_prediction
from diagnosis.models import AI_SHOWN, Prediction


class FailureFilter(admin.SimpleListFilter):
    """Failed readings by why they failed."""

    title = _("failure code")
    parameter_name = "failure"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer every code there is."""
        return [(code, code) for code in FAILURES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Prediction]) -> QuerySet[Prediction]:
        """Look among the failed ones only, which have an index."""
        if not self.value():
            return queryset
        return queryset.filter(status=Prediction.Status.FAILED, failure_code=self.value())


@admin.register(Prediction, site=admin_site)
class PredictionAdmin(ReadOnlyAdmin):
    """AI results and the rows that wait for one."""

    list_display = [
        "study",
        "model_version",
        "status",
        "outcome",
        "calibrated_probability",
        "attempts",
        "failure_code",
        "queued_at",
        "finished_at",
    ]
    list_filter = ["status", "outcome", "model_version", FailureFilter, "queued_at"]
    list_select_related = ["study", "model_version"]
    search_fields = ["=uid", "=study__uid", "study__subject_code"]
    search_help_text = _("Subject code, or the id of the prediction or the study.")
    fields = [
        "uid",
        "study",
        "model_version",
        "requested_by",
        "status",
        "failure_code",
        "attempts",
        "queued_at",
        "started_at",
        "finished_at",
        "logit",
        "probability",
        "calibrated_probability",
        "outcome",
        "layer",
        "cam_strength",
        "precision",
        "preprocess_ms",
        "forward_ms",
    ]
    actions = ["read_again"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Prediction]:
        """Show the results that the person may see, without the maps, which would be large in a list."""
        return Prediction.objects.visible_to(request.user).filter(AI_SHOWN).defer("cam")

    @admin.action(description=_("Read again (failed ones)"), permissions=["administer"])
    def read_again(self, request: HttpRequest, queryset: QuerySet[Prediction]) -> None:
        """Queue a new reading of the films whose reading failed."""
        self.call_for_each(request, queryset, _read_again, gettext("Waiting to be read again: {}."))


def _read_again(actor: User, prediction: Prediction) -> None:
    if prediction.status != Prediction.Status.FAILED:
        raise Conflict("not_failed", _("This reading has not failed."))
    request_prediction(actor=actor, study=prediction.study)
