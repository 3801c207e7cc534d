"""Read-only administration page of reviews."""

from django.contrib import admin
from django.http import HttpRequest

from accounts.admin_site import ReadOnlyAdmin, admin_site
from reading.models import OTHERS_SHOWN, Review, ReviewQuerySet


@admin.register(Review, site=admin_site)
class ReviewAdmin(ReadOnlyAdmin):
    """Reviews, superseded ones included."""

    list_display = [
        "study",
        "reader",
        "finding",
        "agrees_with_ai",
        "confidence",
        "is_current",
        "signed_at",
        "created_at",
    ]
    list_filter = ["finding", "agrees_with_ai", "is_current", "reader", "created_at", "signed_at"]
    list_select_related = ["study", "reader"]
    search_fields = ["=uid", "=study__uid", "study__subject_code", "reader__username", "comment"]
    search_help_text = "Subject code, reader, words of the comment, or the id of the review or the study."
    fields = [
        "uid",
        "study",
        "prediction",
        "reader",
        "finding",
        "agrees_with_ai",
        "confidence",
        "comment",
        "region_x",
        "region_y",
        "region_width",
        "region_height",
        "open_seconds",
        "active_seconds",
        "is_current",
        "supersedes",
        "addendum_to",
        "created_at",
        "signed_at",
    ]

    def get_queryset(self, request: HttpRequest) -> ReviewQuerySet:
        """Show the reviews of films that the person may see, the AI result too."""
        return Review.objects.visible_to(request.user).filter(OTHERS_SHOWN)
