"""The administration's pages of projects, people and roles; every change writes an audit event."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts.admin_site import AuditedAdmin, admin_site
from accounts.allauth_seam import did_recently_reauthenticate
from accounts.reauthentication import password_again
from accounts.roles import ALL_ROLES
from diagnosis.models import Project, ProjectMembership, Site

if TYPE_CHECKING:
    _MembershipInline = admin.TabularInline[ProjectMembership, Any]
    _SiteInline = admin.TabularInline[Site, Any]
    _UserAdmin = UserAdmin[User]
else:
    _MembershipInline = _SiteInline = admin.TabularInline
    _UserAdmin = UserAdmin


class MembershipInline(_MembershipInline):
    """The members of a project, or the projects of a person."""

    model = ProjectMembership
    extra = 1
    autocomplete_fields = ["user", "project"]
    verbose_name = _("project membership")


class SiteInline(_SiteInline):
    """The project's sites. One that films came from cannot be deleted."""

    model = Site
    extra = 0


# Apps whose permissions have an effect in the administration.
_WITH_PERMISSIONS = ["auth", "core", "audit", "accounts", "diagnosis", "reading"]


@admin.register(Project, site=admin_site)
class ProjectAdmin(AuditedAdmin):
    """Projects and their members. A project with films cannot be deleted."""

    list_display = ["name", "slug", "open_to_all", "ai_visibility", "created_at"]
    list_filter = ["open_to_all", "ai_visibility"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [SiteInline, MembershipInline]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Suggest the slug for new projects only: scripts refer to it later."""
        return {} if obj else self.prepopulated_fields

    def audit_state(self, obj: Project) -> dict[str, Any]:
        """Return the audited state: members by number, AI visibility, sites."""
        members = obj.memberships.order_by("user").values_list("user", flat=True)
        return {
            "slug": obj.slug,
            "open_to_all": obj.open_to_all,
            "ai_visibility": obj.ai_visibility,
            "members": list(members),
            "sites": list(obj.sites.order_by("code").values_list("code", flat=True)),
        }


@admin.register(User, site=admin_site)
class PersonAdmin(AuditedAdmin, _UserAdmin):
    """Account, roles and projects on one page. Accounts are closed, never deleted: films refer to them."""

    list_display = ["username", "roles", "is_active", "is_superuser", "last_login"]
    list_filter = ["groups", "is_active", "is_superuser"]
    search_fields = ["username", "first_name", "last_name", "email"]
    filter_horizontal = []
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("Person"), {"fields": ["first_name", "last_name", "email"]}),
        (_("Roles"), {"fields": ["groups", "is_active", "is_superuser"]}),
        (_("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["username", "password1", "password2"]}),
        (_("Person"), {"fields": ["first_name", "last_name", "email"]}),
        (_("Roles"), {"fields": ["groups"]}),
    ]
    inlines = [MembershipInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Fetch everybody's roles in one query."""
        people: QuerySet[User] = super().get_queryset(request)
        return people.prefetch_related("groups")

    @admin.display(description=_("roles"))
    def roles(self, person: User) -> str:
        """Name the roles."""
        return ", ".join(group.name for group in person.groups.all()) or "none"

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Offer the roles as check boxes."""
        if db_field.name == "groups":
            kwargs["widget"] = CheckboxSelectMultiple
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.name == "groups" and field is not None:
            field.label, field.help_text = _("Roles"), _("What the person may do.")
        return field

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Let only superusers make superusers, and nobody change their own roles or account state."""
        fixed = ["last_login", "date_joined"]
        if not _is_superuser(request):
            fixed.append("is_superuser")
        if obj is not None and obj == request.user:
            fixed += ["groups", "is_active", "is_superuser"]
        return fixed

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep administrators from changing superusers' accounts and passwords."""
        if obj is not None and obj.is_superuser and not _is_superuser(request):
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: accounts are closed instead."""
        return False

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show or store an account; asks whoever may change it for their own password again."""
        if self.has_change_permission(request) and not did_recently_reauthenticate(request):
            return password_again(request)
        return super().changeform_view(request, *args, **kwargs)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Set the password and write the event in one transaction; asks for one's own again."""
        if not did_recently_reauthenticate(request):
            return password_again(request)
        with transaction.atomic():
            return super().user_change_password(request, id, form_url)

    def audit_state(self, obj: User) -> dict[str, Any]:
        """Return the audited state: roles, projects, and whether the account is open."""
        projects = obj.memberships.order_by("project__slug").values_list("project__slug", flat=True)
        return {
            "roles": sorted(group.name for group in obj.groups.all()),
            "projects": list(projects),
            "is_active": obj.is_active,
            "is_superuser": obj.is_superuser,
        }


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser


@admin.register(Group, site=admin_site)
class RoleAdmin(AuditedAdmin):
    """Roles: the four of the program, and the permissions of each in the administration."""

    search_fields = ["name"]
    filter_horizontal = ["permissions"]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Keep the names of the program's own roles."""
        return ["name"] if isinstance(obj, Group) and obj.name in ALL_ROLES else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep the four roles."""
        if isinstance(obj, Group) and obj.name in ALL_ROLES:
            return False
        return super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer no deletion in bulk, which would include the four roles."""
        return {}

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Offer the permissions that have an effect here, each fetched with its model."""
        if db_field.name == "permissions":
            relevant = Permission.objects.filter(content_type__app_label__in=_WITH_PERMISSIONS)
            kwargs["queryset"] = relevant.select_related("content_type")
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def audit_state(self, obj: Group) -> dict[str, Any]:
        """Return the audited state: the permissions by code name."""
        codenames = obj.permissions.order_by("codename").values_list("codename", flat=True)
        return {"role": obj.name, "permissions": list(codenames)}
