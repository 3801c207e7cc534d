"""A scene of statistics in the web server's database: a project, its films and reads."""

from accounts import roles
from diagnosis.models import ModelVersion, Prediction, Project
from tests.e2e.helpers.reading_scenes import _session as session_of
from tests.insight.some_hundred import bring_in, have_read
from tests.support.cards import stored_card
from tests.support.cast import person

CONFUSION = {"tn": 148, "fp": 13, "fn": 10, "tp": 456}


def make() -> None:
    """Create 120 read films of a model version of their own; print the first reader's session."""
    project = Project.objects.create(slug="figures", name="Figures")
    readers = [person(name, project, roles.READER, roles.UPLOADER) for name in ("frida", "fred")]
    model = ModelVersion.objects.create(
        version="figures-1",
        architecture="vgg16-gap-512-256-128",
        weights_sha256="1" * 64,
        threshold=0.5,
        borderline_low=0.4,
        borderline_high=0.6,
        card=stored_card(metrics={"validation": {"confusion": CONFUSION}}),
    )
    films = bring_in(project, readers[0], model, films=120)
    for seed, reader in enumerate(readers):
        have_read(reader, films, seed=seed)
    Prediction.objects.filter(model_version=model, status="queued").delete()  # nobody else is kept waiting
    print(session_of(readers[0]))  # noqa: T201 - read by the test
