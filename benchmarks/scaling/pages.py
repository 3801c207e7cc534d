"""The pages that are asked, each as an address that may depend on the moment it is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from benchmarks.scaling.fill import People
from diagnosis.models import Prediction, Study

NEXT = "next"  # of an answer of the API: the page after the one that was asked last


@dataclass(frozen=True)
class Page:
    """A page: its name in the tables, whom it is for (reader, auditor or anybody), and its address."""

    name: str
    address: Callable[[], str]
    people: str = "anybody"
    heads: tuple[tuple[str, str], ...] = ()


def deep_cursor() -> str:
    """The cursor of the film list that begins in the middle of all films."""
    from reading.lists.cursors import Cursor

    newest = Study.objects.order_by("-pk").values_list("pk", flat=True)[0]
    film = Study.objects.filter(pk__lte=newest // 2 + 1).order_by("-pk")[0]
    return Cursor(film.created_at, film.pk, False).encode(column="created_at")


def deep_api_cursor() -> str:
    """The same for the API's list, whose cursors hold the moment alone."""
    from base64 import b64encode
    from urllib.parse import quote, urlencode

    newest = Study.objects.order_by("-pk").values_list("pk", flat=True)[0]
    film = Study.objects.filter(pk__lte=newest // 2 + 1).order_by("-pk")[0]
    text = urlencode({"p": str(film.created_at)})
    return quote(b64encode(text.encode()).decode())


def _films_of(reader: User) -> list[str]:
    """Uids of films that this reader may see, over the whole time."""
    newest = Study.objects.order_by("-pk").values_list("pk", flat=True)[0]
    visible = Study.objects.visible_to(reader)
    places = {max(1, newest * share // 20) for share in range(1, 20)}
    found = [
        visible.filter(pk__lte=place).order_by("-pk").values_list("uid", flat=True).first()
        for place in places
    ]
    return [str(uid) for uid in found if uid]


def pages(who: People) -> list[Page]:
    """Return every page that is asked, for a database that `fill` has filled."""
    middle = Study.objects.filter(project__slug="cohort-0").order_by("pk")
    film = middle[middle.count() // 2]
    films = _films_of(who.readers[0])
    turn = [0]

    def next_film() -> str:
        turn[0] += 1
        return films[turn[0] % len(films)]

    day = timezone.localdate(film.created_at)
    failed = (
        Prediction.objects.filter(Q(status="failed"), study__project__slug="cohort-0").order_by("pk").first()
    )
    assert failed is not None
    deep, api_deep = deep_cursor(), deep_api_cursor()
    lists = {
        "films": "",
        "films, deep page": f"?cursor={deep}",
        "films, by a subject's code": f"?q={film.subject_code}",
        "films, by the first letter of codes": "?q=S",
        "films, by words that nobody used": "?q=zebra",
        "films, by uid": f"?q={film.uid}",
        "films, failed": "?status=failed",
        "films, above the operating point": "?result=pneumonia",
        "films, borderline": "?result=borderline",
        "films, a reader disagreed": "?review=disagreed",
        "films, unreviewed": "?review=unreviewed",
        "films, of one project and week": f"?project=cohort-1&since={day}&until={day}",
        "films, of an uploader": f"?uploader={who.uploaders[1].username}",
        "films, by AI score": "?sort=-probability",
        "films, by subject": "?sort=subject",
    }
    htmx = (("HX-Request", "true"),)
    api = "/api/v1/studies/"
    return [
        *(Page(name, lambda query=query: f"/studies/{query}") for name, query in lists.items()),  # type: ignore[misc]
        Page("film", lambda: f"/studies/{next_film()}/", "reader"),
        Page("film's reviews and next film", lambda: f"/studies/{next_film()}/reviews/", "reader", htmx),
        Page("thumbnail", lambda: f"/studies/{next_film()}/files/thumbnail.jpg", "reader"),
        Page("worklist", lambda: "/worklist/", "reader"),
        Page("worklist, of one project", lambda: "/worklist/?project=cohort-1", "reader"),
        Page("discordance", lambda: "/discordance/", "reader"),
        Page("adjudications", lambda: "/adjudication/", "reader"),
        Page("dashboard", lambda: "/dashboard/"),
        Page("dashboard, 52 weeks of one project", lambda: "/dashboard/?project=cohort-0&weeks=52"),
        Page("projects", lambda: "/projects/"),
        Page("project", lambda: "/projects/cohort-0/"),
        Page("export", lambda: "/exports/", "reader"),
        Page("batches", lambda: "/batches/"),
        Page("notifications", lambda: "/notifications/"),
        Page("audit trail", lambda: "/audit/", "auditor"),
        Page(
            "audit trail, by verb and day",
            lambda: f"/audit/?verb=study_viewed&since={day}&until={day}",
            "auditor",
        ),
        Page("audit trail, by person", lambda: "/audit/?actor=nobody", "auditor"),
        Page("API list", lambda: api),
        Page("API list, deep page", lambda: f"{api}?cursor={api_deep}"),
        Page("API list, failed", lambda: f"{api}?status=failed"),
        Page("API list, of a subject", lambda: f"{api}?subject_code={film.subject_code}"),
        Page("API predictions", lambda: "/api/v1/predictions/"),
        Page("API reviews", lambda: "/api/v1/reviews/"),
        Page("API statistics", lambda: "/api/v1/statistics/"),
        Page("health", lambda: "/health"),
        Page("metrics", lambda: "/metrics"),
    ]


def askers(page: Page, who: People) -> list[User]:
    """Return who may be asked to open the page."""
    if page.people == "auditor":
        return [person for person in (who.auditor, who.administrator) if person]
    return who.readers if page.people == "reader" else who.all


def client_heads(page: Page, token: str) -> dict[str, Any]:
    """Return the page's request headers; the word that opens /metrics where it is that."""
    heads = dict(page.heads)
    return {**heads, "Authorization": f"Bearer {token}"} if page.name == "metrics" else heads
