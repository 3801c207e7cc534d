"""The administration site and its two kinds of pages: read-only, and editable with audit events."""

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import messages
from django.contrib.admin import AdminSite, AllValuesFieldListFilter, ModelAdmin, ShowFacets
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.guards import opens_administration, to_second_factor
from accounts.roles import may_administer, may_audit
from audit import trail
from core.errors import Refused

if TYPE_CHECKING:
    _ModelAdmin = ModelAdmin[Any]
    _Paginator = Paginator[Any]
else:
    _ModelAdmin = ModelAdmin
    _Paginator = Paginator

M = TypeVar("M", bound=Model)


def as_json(value: Any) -> SafeString:
    """Return a value as indented JSON for a page of the administration."""
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True))


class AdministrationSite(AdminSite):
    """Open to administrators and auditors, by role and never by the `is_staff` flag alone."""

    site_header = _("pneumoweb administration")
    site_title = _("pneumoweb administration")
    index_title = _("Administration")
    site_url = "/"

    def has_permission(self, request: HttpRequest) -> bool:
        """Admit active administrators, auditors and superusers who proved a second factor."""
        return may_audit(request.user) and opens_administration(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Redirect to sign-in or to the second factor; raises PermissionDenied without a role."""
        wanted = request.GET.get("next") or reverse("admin:index")
        if may_audit(request.user):
            return to_second_factor(request, wanted)
        if request.user.is_authenticated:
            raise PermissionDenied("Your account has no role in the administration.")
        return redirect_to_login(wanted)

    def password_change(  # type: ignore[override]  # no page of its own
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Redirect to the site's own page, which counts wrong passwords."""
        return HttpResponseRedirect(reverse("password_change"))


admin_site = AdministrationSite(name="admin")


class BoundedPaginator(_Paginator):
    """Pages of the first MOST rows, so that no query counts a million; filters and search find the others."""

    MOST = 5_000

    @cached_property
    def count(self) -> int:
        """The number of rows, at most MOST."""
        rows: Any = self.object_list
        return len(rows.order_by().values_list("pk")[: self.MOST])

    @property
    def is_cut(self) -> bool:
        """Whether there may be more rows than are listed."""
        return self.count == self.MOST


class ValuesByIndex(AllValuesFieldListFilter):
    """Filters by the values of an indexed column, found with one query for each value."""

    def __init__(
        self, field: Any, request: HttpRequest, params: Any, model: Any, *rest: Any, **more: Any
    ) -> None:
        super().__init__(field, request, params, model, *rest, **more)  # its lazy query is never evaluated
        rows = model._default_manager.order_by(field.name)
        self.lookup_choices: Any = list(_values(rows, field.name))


def _values(rows: QuerySet[Any], name: str) -> Iterator[Any]:
    value = rows.values_list(name, flat=True).first()
    while value is not None:
        yield value
        value = rows.filter(**{f"{name}__gt": value}).values_list(name, flat=True).first()


class ReadOnlyAdmin(_ModelAdmin):
    """Read-only pages; actions call services.

    The tables may have a million rows: no `date_hierarchy`, which reads every date, and in `list_filter` no
    column without choices, which reads every value, except by ValuesByIndex.
    """

    actions_on_top = True
    change_list_template = "admin/first_thousands.html"
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 0
    paginator = BoundedPaginator

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: services create rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: rows are not edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: nothing is deleted."""
        return False

    def has_administer_permission(self, request: HttpRequest) -> bool:
        """Return whether the person sees the actions: administrators do, auditors do not."""
        return may_administer(request.user)

    def call_for_each(
        self, request: HttpRequest, chosen: QuerySet[M], service: Callable[[User, M], object], done: str
    ) -> None:
        """Call `service(actor, object)` for each chosen object and show the outcome or the refusal.

        `done` is the sentence for success, with the objects' names in place of "{}".
        """
        if not isinstance(request.user, User):
            raise PermissionDenied
        names: list[str] = []
        for item in chosen:
            try:
                service(request.user, item)
            except Refused as refusal:
                self.message_user(request, f"{item}: {refusal.message}", messages.ERROR)
            else:
                names.append(str(item))
        if names:
            self.message_user(request, done.format(", ".join(names)), messages.SUCCESS)


class AuditedAdmin(_ModelAdmin):
    """Editable pages: Django's forms, in one transaction with an audit event.

    The event holds the names of the changed fields and the object's new state (`audit_state`), never a
    password.
    """

    def audit_state(self, obj: Any) -> dict[str, Any]:
        """Return the state of `obj` for the audit trail, as JSON without names of people."""
        raise NotImplementedError

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Record “…_created” beside Django's own log."""
        self._record(request, obj, "created", message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Record “…_changed” beside Django's own log."""
        self._record(request, obj, "changed", message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Record “…_deleted” for each beside Django's own log; called just before the rows are deleted."""
        for obj in queryset:
            self._record(request, obj, "deleted", None)
        return super().log_deletions(request, queryset)

    def _record(self, request: HttpRequest, obj: Any, what: str, message: Any) -> None:
        obj = type(obj)._default_manager.get(pk=obj.pk)  # as stored, with the roles and members just saved
        verb = f"{obj._meta.model_name}_{what}"
        changed = sorted(_changed_fields(message))
        trail.record(actor=request.user, verb=verb, target=obj, changed=changed, **self.audit_state(obj))


def _changed_fields(message: Any) -> set[str]:
    """Return the field names in Django's change message: [{"changed": {"fields": […]}}, {"added": …}]."""
    names: set[str] = set()
    for entry in message if isinstance(message, list) else []:
        for part in entry.values():
            names.update(part.get("fields", []))
            if "name" in part:
                names.add(str(part["name"]))
    return names
