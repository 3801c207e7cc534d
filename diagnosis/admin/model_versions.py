"""The administration's pages of model versions."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin_site import ReadOnlyAdmin, admin_site, as_json
from core.errors import Conflict
from diagnosis.inference import registry
from diagnosis.models import ModelVersion


@admin.register(ModelVersion, site=admin_site)
class ModelVersionAdmin(ReadOnlyAdmin):
    """Registered versions of the network. New ones come by `manage.py register_model`."""

    list_display = ["version", "state", "architecture", "threshold", "registered_at", "activated_at"]
    list_filter = ["state"]
    search_fields = ["version", "=weights_sha256"]
    fields = [
        "version",
        "state",
        "architecture",
        "threshold",
        "borderline_low",
        "borderline_high",
        "weights_sha256",
        "registered_at",
        "activated_at",
        "whole_card",
    ]
    actions = ["activate", "retire"]

    @admin.display(description=_("card"))
    def whole_card(self, model: ModelVersion) -> SafeString:
        """Show the model card as it was registered."""
        return as_json(model.card)

    @admin.action(description=_("Activate (choose one)"), permissions=["administer"])
    def activate(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        """Let this version analyse the films from now on."""
        self.call_for_each(
            request, queryset, _activate(queryset.count()), gettext("This version reads the films now: {}.")
        )

    @admin.action(description=_("Retire"), permissions=["administer"])
    def retire(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        """Retire versions that are not active."""
        self.call_for_each(
            request,
            queryset,
            lambda actor, model: registry.retire(actor=actor, model=model),
            gettext("Retired: {}."),
        )


def _activate(chosen: int) -> Any:
    def activate(actor: User, model: ModelVersion) -> None:
        if chosen != 1:
            raise Conflict("choose_one", _("Choose exactly one version: only one can be active."))
        registry.activate(actor=actor, model=model)

    return activate
