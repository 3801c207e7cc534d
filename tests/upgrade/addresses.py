"""The addresses that are requested: every route with stored ids, and lists with filters."""

import itertools
import re
from typing import Any

from tests.support.routes import all_routes

# For each route that names a film: reads that agree, that differ, drafted, failed, queued, hidden, of a ZIP.
FILMS = ("P010", "N011", "P012", "N013", "A051", "X020", "Z-31")
FEW_FILMS = ("P010", "D014")
PROJECTS = ("ward-7", "night", "trial")
FIGURES = "volumes time-to-result reader-ai reader-reader confusion roc scores sites nothing"
KINDS = "original display thumbnail heatmap overlay side_by_side nothing"
FILTERED = [
    "/studies/?q=P01",
    "/studies/?status=failed",
    "/studies/?result=pneumonia&sort=-probability",
    "/studies/?result=borderline",
    "/studies/?review=disagreed",
    "/studies/?project=trial&sort=subject",
    "/studies/?site=ward-7/BER&since=2026-10-10&until=2026-10-20",
    "/studies/?status=nonsense",
    "/worklist/?project=ward-7",
    "/worklist/?order=newest&state=drafted",
    "/discordance/?kind=reader_ai",
    "/dashboard/?project=trial&weeks=12",
    "/dashboard/?weeks=4&version=vgg16-2026.11",
    "/dashboard/?weeks=nonsense",
    "/dashboard/confusion.csv?project=trial",
    "/prevalence/?prevalence=12.5&version=vgg16-2026.11.2",
    "/audit/?verb=review_signed",
    "/audit/?actor=head",
    "/exports/?project=trial&people=code",
    "/exports/reads.csv?project=trial&people=code",
    "/exports/reads.xlsx?project=ward-7",
    "/exports/films.zip?project=ward-7&pictures=display&pictures=overlay&pictures=original",
    "/projects/trial/report.pdf?weeks=12",
    "/projects/ward-7/report.pdf",
    "/api/v1/studies/?status=succeeded&project=ward-7",
    "/api/v1/studies/?outcome=pneumonia&site=ber",
    "/api/v1/studies/?review_state=disagreed",
    "/api/v1/studies/?page_size=5",
    "/api/v1/studies/?nonsense=1",
    "/api/v1/studies/00000000-0000-4000-8000-000000000000/",
    "/api/v1/predictions/?status=failed",
    "/api/v1/reviews/?is_signed=true&finding=other",
    "/api/v1/audit/?verb=adjudicated",
    "/api/v1/statistics/?project=trial&weeks=12",
    "/api/v1/statistics/?until=yesterday",
    "/api/v1/exports/reads.csv?project=ward-7",
    "/api/v1/exports/reads.xlsx?project=trial",
    "/api/v1/docs/?script=1",
]
# Requested with filters only, since they are slow, or compared in another way.
LEFT_OUT = {"export-zip", "project-report", "api-export-xlsx", "metrics", "api-schema"}
# Addresses whose answer may differ between a reader and an administrator.
FOR_READERS = re.compile(
    r"/(studies/|worklist|discordance|adjudication|dashboard|projects|exports/reads.csv$)"
    r"|/api/v1/(studies|reviews|predictions|statistics|exports/reads.csv$)"
)
DRAWN = re.compile(r"/(heatmap|overlay|side-by-side|side_by_side)(\.png|/|\?|$)")


def table(name: str) -> Any:
    """Return the manager of the model that has this table now, in whichever app."""
    from django.apps import apps

    (model,) = (each for each in apps.get_models() if each._meta.db_table == name)
    return model._base_manager


def film(code: str) -> str:
    """Return the id of the film with this subject code."""
    return str(table("diagnosis_study").get(subject_code=code).uid)


def _choices(pattern: str, name: str) -> dict[str, list[str]]:
    films = FILMS if name in ("study", "study-reviews", "study-status", "api-study-detail") else FEW_FILMS
    uids = [film(code) for code in films]
    for begin, of in (("predictions/", "diagnosis_prediction"), ("reviews/", "reading_review")):
        if pattern.startswith(f"api/v1/{begin}"):
            uids = [str(uid) for uid in table(of).order_by("pk").values_list("uid", flat=True)[1:12:4]]
    slugs = FIGURES.split() if "figure" in pattern else list(PROJECTS)
    return {
        "uid": uids,
        "batch": [str(uid) for uid in table("diagnosis_batch").order_by("pk").values_list("uid", flat=True)],
        "slug": slugs,
        "figure": FIGURES.split(),
        "version": ["vgg16-2026.11", "vgg16-2026.11.2", "nothing"],
        "kind": KINDS.split(),
        "pk": ["3"],
        "tag": ["1"],
        "site": ["1"],
        "prefix": ["0123456789abcde"],
    }


def addresses() -> list[str]:
    """Return every address of the site that is requested, without the administration's."""
    found = []
    for route in all_routes():
        if route.pattern.startswith("admin/") or route.name in LEFT_OUT:
            continue
        if route.name == "api-unknown":
            found.append("/api/nothing/")
            continue
        parts = re.split(r"<(?:\w+:)?(\w+)>", route.pattern)
        choices = _choices(route.pattern, route.name)
        values = itertools.product(*(choices[name] for name in parts[1::2]))
        found += ["/" + _joined(parts[::2], chosen) for chosen in values]
    return [*dict.fromkeys(found), *FILTERED]


def _joined(texts: list[str], values: tuple[str, ...]) -> str:
    return "".join(text + value for text, value in itertools.zip_longest(texts, values, fillvalue=""))


def admin_addresses() -> dict[str, str]:
    """Return the administration's addresses by model name, which no move to another app changes."""
    from django.apps import apps
    from django.urls import NoReverseMatch, reverse

    found = {"index": reverse("admin:index")}
    for model in apps.get_models():
        meta = model._meta
        row = model._base_manager.order_by("pk").first()
        for view, ids in (("changelist", []), ("add", []), ("change", [row]), ("history", [row])):
            try:
                args = [each.pk for each in ids if each is not None]
                address = reverse(f"admin:{meta.app_label}_{meta.model_name}_{view}", args=args)
            except NoReverseMatch:
                continue
            found[f"{meta.model_name}-{view}"] = address
    return found
