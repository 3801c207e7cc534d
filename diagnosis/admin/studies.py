"""The administration's pages of films, AI results, model versions, workers and the audit trail."""

import json
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

import diagnosis.people_admin  # noqa: F401 - registers its pages
from diagnosis import registry, retention
from diagnosis.admin_site import ReadOnlyAdmin, ValuesByIndex, admin_site
from diagnosis.errors import Conflict
from diagnosis.models import (
    AI_SHOWN,
    AuditEvent,
    ModelVersion,
    Prediction,
    Study,
    WorkerStatus,
)
from diagnosis.prediction import FAILURES, request_prediction


def _as_json(value: Any) -> SafeString:
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True))


def _number_in(term: str) -> int | None:
    """Return the 123 of “PW-000123”, the reference that people use; None for anything else."""
    digits = term.strip().upper().removeprefix("PW-")
    return int(digits) if digits.isdecimal() and len(digits) < 19 else None


@admin.register(Study, site=admin_site)
class StudyAdmin(ReadOnlyAdmin):
    """Films. They leave by way of the trash only."""

    list_display = [
        "thumbnail_picture",
        "reference",
        "subject_code",
        "project",
        "site",
        "uploaded_by",
        "media_format",
        "created_at",
    ]
    list_display_links = ["reference"]
    list_filter = ["project", "media_format", "source", "created_at"]
    list_select_related = ["project", "site", "uploaded_by"]
    search_fields = ["=uid", "=sha256", "subject_code", "uploaded_by__username"]
    search_help_text = _("Reference (PW-000123), subject code, uploader, id or SHA-256.")
    fields = [
        "thumbnail_picture",
        "reference",
        "uid",
        "project",
        "site",
        "subject_code",
        "source",
        "media_format",
        "byte_size",
        "width",
        "height",
        "bit_depth",
        "sha256",
        "uploaded_by",
        "created_at",
    ]
    actions = ["to_the_trash"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Study]:
        """Show the films that the person may see anywhere else; those in the trash are not among them."""
        return Study.objects.visible_to(request.user)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Study], search_term: str
    ) -> tuple[QuerySet[Study], bool]:
        """Understand the short reference too."""
        found, duplicates = super().get_search_results(request, queryset, search_term)
        number = _number_in(search_term)
        return (found if number is None else found | queryset.filter(pk=number)), duplicates

    @admin.display(description=_("film"))
    def thumbnail_picture(self, study: Study) -> SafeString:
        """Show the thumbnail, by the address that checks who asks, with a link to the reading room."""
        source = reverse("study-thumbnail", kwargs={"uid": study.uid})
        picture = format_html('<img src="{}" width="64" loading="lazy" alt="{}">', source, study.reference)
        return format_html('<a href="{}">{}</a>', study.get_absolute_url(), picture)

    @admin.action(description=_("Move to the trash"), permissions=["administer"])
    def to_the_trash(self, request: HttpRequest, queryset: QuerySet[Study]) -> None:
        """Hide the chosen films from everybody."""
        self.call_for_each(
            request,
            queryset,
            lambda actor, study: retention.move_to_trash(actor=actor, study=study),
            gettext("Moved to the trash: {}."),
        )


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
        return _as_json(model.card)

    @admin.action(description=_("Activate (choose one)"), permissions=["administer"])
    def activate(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        """Let this version read the films from now on."""
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
    def verb(actor: User, model: ModelVersion) -> None:
        if chosen != 1:
            raise Conflict("choose_one", _("Choose exactly one version: only one can be active."))
        registry.activate(actor=actor, model=model)

    return verb


@admin.register(AuditEvent, site=admin_site)
class AuditEventAdmin(ReadOnlyAdmin):
    """The audit trail."""

    list_display = ["seq", "at", "actor_name", "verb", "object_type", "object_id"]
    list_filter = [("verb", ValuesByIndex), ("object_type", ValuesByIndex), "at"]
    search_fields = ["=actor_name", "=verb", "=object_id"]
    search_help_text = _("A user name, a verb or an object's id, in full.")
    fields = [
        "seq",
        "at",
        "actor_name",
        "actor_id",
        "verb",
        "object_type",
        "object_id",
        "what",
        "previous_hash",
        "hash",
    ]

    @admin.display(description=_("details"))
    def what(self, event: AuditEvent) -> SafeString:
        """Show the details as text."""
        return _as_json(event.details)


@admin.register(WorkerStatus, site=admin_site)
class WorkerStatusAdmin(ReadOnlyAdmin):
    """When each worker was last heard of."""

    list_display = ["name", "last_seen_at", "loaded_version", "started_at"]
