"""Services for sites: adding and removing a project's centres, finding the one a film comes from."""

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from accounts.roles import may_administer, require
from audit import trail
from core.errors import Conflict, FilmRefused, Refused
from diagnosis.models import Project, Site


class SiteRefused(Refused):
    """The site's code or name is not valid."""


def add_site(*, actor: User, project: Project, code: str, name: str) -> Site:
    """Add a centre to the project. Raises NotAllowed, SiteRefused, or Conflict for a code in use."""
    _check_administrator(actor)
    site = Site(project=project, code=code.strip(), name=name.strip())
    _check_fields(site)
    try:
        with transaction.atomic():
            site.save(force_insert=True)
            trail.record(actor=actor, verb="site_added", target=project, site=site.code)
    except IntegrityError as error:
        raise Conflict("site_exists", _("The project has a site of this code.")) from error
    return site


def remove_site(*, actor: User, site: Site) -> None:
    """Remove a site that no film or batch came from. Raises NotAllowed, or Conflict (`site_has_films`)."""
    _check_administrator(actor)
    try:
        with transaction.atomic():
            trail.record(actor=actor, verb="site_removed", target=site.project, site=site.code)
            site.delete()
    except ProtectedError as error:
        message = _("Films or batches came from this site, so it stays.")
        raise Conflict("site_has_films", message) from error


def site_named(*, project: Project, code: str) -> Site | None:
    """Return the project's site of this code, whatever its case; None for an empty code.

    Raises FilmRefused (`site_unknown`) where the project has no such site.
    """
    if not code:
        return None
    found = Site.objects.filter(project=project, code__iexact=code).first()
    if found is None:
        raise _unknown()
    return found


def check_site(*, project: Project, site: Site | None) -> None:
    """Raise FilmRefused (`site_unknown`) unless the site is one of the project's."""
    if site is not None and site.project_id != project.pk:
        raise _unknown()


def _unknown() -> FilmRefused:
    return FilmRefused("site_unknown", _("The project has no such site. Choose one of its own."))


def _check_fields(site: Site) -> None:
    try:
        site.clean_fields(exclude=["project"])
    except ValidationError as problem:
        raise SiteRefused("site_invalid", " ".join(problem.messages)) from problem


def _check_administrator(actor: User) -> None:
    require(actor, may_administer, _("Only an administrator changes a project's sites."))
