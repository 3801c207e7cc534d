"""Counts and progress by site: of one project, and of the films of a selection."""

from collections import defaultdict
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Count, F, Q
from django.utils.translation import gettext as _

from diagnosis.models import Prediction, Project, Site, Study
from insight.statistics.figure import Column, Figure
from insight.statistics.selection import Selection
from insight.statistics.volumes import Counts

Status = Prediction.Status
_CODED, _SIGNED = ~Q(subject_code=""), Q(reads_signed__gt=0)


@dataclass
class SiteProgress:
    """A site's numbers of films; `site` None for films that name none, whose `subjects` are not counted."""

    site: Site | None
    subjects: int | None = None
    films: int = 0
    waiting: int = 0
    failed: int = 0
    signed: int = 0

    @property
    def signed_percent(self) -> int:
        """Films with a signed read, in whole per cent of all; 100 only where all have one."""
        return 100 * self.signed // self.films if self.films else 0


def sites_of(user: User, project: Project) -> list[SiteProgress]:
    """Return the progress of each site of a visible project, in two queries; empty without sites."""
    coded = Q(studies__deleted_at=None) & ~Q(studies__subject_code="")
    subjects = Count("studies__subject_code", distinct=True, filter=coded)
    rows: dict[int | None, SiteProgress] = {
        site.pk: SiteProgress(site, subjects=site.subjects)  # type: ignore[attr-defined]  # annotated
        for site in Site.objects.filter(project=project).annotate(subjects=subjects)
    }
    if not rows:
        return []
    found = defaultdict(lambda: SiteProgress(None), rows)
    films = Study.objects.visible_to(user).filter(project=project).order_by()
    counted = films.values(place=F("site"), state=F("result_status"))
    for count in counted.annotate(n=Count("pk"), signed=Count("pk", filter=_SIGNED)):
        row = found[count["place"]]
        row.films += count["n"]
        row.signed += count["signed"]
        row.waiting += count["n"] if count["state"] in (Status.QUEUED, Status.RUNNING) else 0
        row.failed += count["n"] if count["state"] == Status.FAILED else 0
    return list(found.values())


def sites(selection: Selection, counts: Counts) -> Figure:
    """Films and progress by site of the films that `counts` counted; no rows where no film names a site."""
    rows = _rows(selection, counts) if any(place is not None for place in counts.sites) else []
    return Figure(
        key="sites",
        title=_("Sites"),
        n=sum(number[0] for number in counts.sites.values()) if rows else 0,
        unit=_("films"),
        columns=[
            Column("project", _("Project")),
            Column("site", _("Site")),
            Column("subjects", _("Subjects"), "count"),
            *(
                Column(name, label, "count")
                for name, label in (
                    ("films", _("Films")),
                    ("ready", _("Ready")),
                    ("waiting", _("Waiting")),
                    ("failed", _("Failed")),
                    ("signed", _("Signed")),
                )
            ),
        ],
        rows=rows,
        method=_(
            "Films of these weeks by the site they came from; a subject's code at two sites is two subjects. "
            "Films that name no site are left out."
        ),
    )


def _rows(selection: Selection, counts: Counts) -> list[list[str | int | float | None]]:
    films = selection.films().filter(site__isnull=False).order_by("site__project__slug", "site__code")
    named = films.values(place=F("site"), code=F("site__code"), slug=F("site__project__slug")).annotate(
        subjects=Count("subject_code", distinct=True, filter=_CODED), signed=Count("pk", filter=_SIGNED)
    )
    return [
        [row["slug"], row["code"], row["subjects"], *counts.sites[row["place"]], row["signed"]]
        for row in named
    ]
