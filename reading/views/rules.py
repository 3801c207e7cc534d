"""The administrator's pages of reading rules."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.roles import may_administer
from core.errors import Refused
from core.web import signed_in
from diagnosis.models import Project
from reading.models import ReadingSettings
from reading.rules import readers_of, rules_of, set_rules


class Readers(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # no generic when it runs
    """People to choose from; a number too large for the database is an invalid choice, not an error."""

    def clean(self, value: Any) -> Any:
        """Return the people chosen; raises ValidationError for anybody who is not offered."""
        offered = {str(pk) for pk in self.queryset.values_list("pk", flat=True)}  # type: ignore[union-attr]
        for one in value or ():
            if one not in offered:
                message = self.error_messages["invalid_choice"]
                raise ValidationError(message, code="invalid_choice", params={"value": one})
        return super().clean(value)


class RulesForm(forms.ModelForm):  # type: ignore[type-arg]  # no generic when it runs
    """A project's rules of reading."""

    class Meta:
        model = ReadingSettings
        fields = ["reads_per_film", "reads_blind", "adjudicators"]
        field_classes = {"adjudicators": Readers}
        widgets = {
            "reads_per_film": forms.Select(attrs={"class": "form-select"}),
            "adjudicators": forms.CheckboxSelectMultiple,
        }

    def offer(self, readers: QuerySet[User]) -> None:
        """Let only these people be chosen as adjudicators."""
        self.fields["adjudicators"].queryset = readers  # type: ignore[attr-defined]  # a ModelMultipleChoice


def _check(request: HttpRequest) -> None:
    if not may_administer(request.user):
        raise PermissionDenied


@login_required
@require_GET
def projects(request: HttpRequest) -> HttpResponse:
    """List the projects with their rules."""
    _check(request)
    shown = Project.objects.visible_to(request.user).select_related("reading_settings")
    rows = [(project, getattr(project, "reading_settings", ReadingSettings())) for project in shown]
    return render(request, "reading/rules_list.html", {"rows": rows})


@login_required
@require_http_methods(["GET", "POST"])
def project_rules(request: HttpRequest, slug: str) -> HttpResponse:
    """Show and set how one project is read."""
    _check(request)
    project = get_object_or_404(Project.objects.visible_to(request.user), slug=slug)
    form = RulesForm(request.POST or None, instance=rules_of(project))
    form.offer(readers_of(project))
    if request.method == "POST" and form.is_valid():
        try:
            set_rules(actor=signed_in(request), project=project, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, _("The rules of reading of %(name)s are set.") % {"name": project.name})
            return redirect("reading-rules")
    context = {"project": project, "form": form}
    return render(request, "reading/rules.html", context, status=400 if form.errors else 200)
