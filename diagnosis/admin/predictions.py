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
    """Filters failed analyses by failure code."""

    title = _("failure code")
    parameter_name = "failure"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer every code."""
        return [(code, code) for code in FAILURES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Prediction]) -> QuerySet[Prediction]:
        """Keep the failed ones with the chosen code; the status is named so that an index is used."""
        if not self.value():
            return queryset
        return queryset.filter(status=Prediction.Status.FAILED, failure_code=self.value())


@admin.register(Prediction, site=admin_site)
class PredictionAdmin(ReadOnlyAdmin):
    """AI results, and predictions that are queued or running."""

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
        """Show the results that the person may see, without the maps, which are large."""
        return Prediction.objects.visible_to(request.user).filter(AI_SHOWN).defer("cam")

    @admin.action(description=_("Read again (failed ones)"), permissions=["administer"])
    def read_again(self, request: HttpRequest, queryset: QuerySet[Prediction]) -> None:
        """Queue a new analysis of the films whose analysis failed."""
        self.call_for_each(request, queryset, _read_again, gettext("Waiting to be read again: {}."))


def _read_again(actor: User, prediction: Prediction) -> None:
    if prediction.status != Prediction.Status.FAILED:
        raise Conflict("not_failed", _("This reading has not failed."))
    request_prediction(actor=actor, study=prediction.study)
