"""The administration's pages of films."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin_site import ReadOnlyAdmin, admin_site
from diagnosis.models import Study
from diagnosis.studies import trash


def _number_in(term: str) -> int | None:
    """Return the 123 of “PW-000123”, the reference that people use; None for anything else."""
    digits = term.strip().upper().removeprefix("PW-")
    return int(digits) if digits.isdecimal() and len(digits) < 19 else None


@admin.register(Study, site=admin_site)
class StudyAdmin(ReadOnlyAdmin):
    """Films. They are deleted by way of the trash only."""

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
        """Show the films that the person may see; not those in the trash."""
        return Study.objects.visible_to(request.user)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Study], search_term: str
    ) -> tuple[QuerySet[Study], bool]:
        """Find films by their short reference too."""
        found, duplicates = super().get_search_results(request, queryset, search_term)
        number = _number_in(search_term)
        return (found if number is None else found | queryset.filter(pk=number)), duplicates

    @admin.display(description=_("film"))
    def thumbnail_picture(self, study: Study) -> SafeString:
        """Show the thumbnail, from the address that checks permissions, with a link to the film's page."""
        source = reverse("study-thumbnail", kwargs={"uid": study.uid})
        picture = format_html('<img src="{}" width="64" loading="lazy" alt="{}">', source, study.reference)
        return format_html('<a href="{}">{}</a>', study.get_absolute_url(), picture)

    @admin.action(description=_("Move to the trash"), permissions=["administer"])
    def to_the_trash(self, request: HttpRequest, queryset: QuerySet[Study]) -> None:
        """Hide the chosen films from everybody."""
        self.call_for_each(
            request,
            queryset,
            lambda actor, study: trash.move_to_trash(actor=actor, study=study),
            gettext("Moved to the trash: {}."),
        )
