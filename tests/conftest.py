"""Fixtures that every test may use: the cast, a registered model, films, a media folder of their own."""

import signal
import threading
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.utils import translation

from accounts import roles
from diagnosis.models import ModelVersion, Prediction, Study
from tests.support import flushing
from tests.support.cast import Cast, make_cast, person
from tests.support.servers.object_store import object_store, object_store_server  # noqa: F401 - fixtures
from tests.support.servers.postgres import own_postgres_url, postgres_url, restartable_postgres  # noqa: F401 - fixtures
from tests.support.sources import PACKAGES, ROOT

flushing.install()


def pytest_sessionstart() -> None:
    """Let a run that is told to end stop its servers first, as after Ctrl-C."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Declare one marker a package: `pytest -m reading` runs the tests of that app."""
    for package in PACKAGES:
        config.addinivalue_line("markers", f"{package}: tests of {package}/, given by their folder")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a test with the package that its folder mirrors."""
    folder = item.path.relative_to(ROOT / "tests").parts[0]
    if folder in PACKAGES:
        item.add_marker(folder)


@pytest.fixture(autouse=True)
def _own_media_and_clean_cache(tmp_path: Path, settings: object) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"  # type: ignore[attr-defined]
    # Static files by their plain names: the hashed ones exist only once an installation has collected them.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}  # type: ignore[attr-defined]
    # The cast's six passwords would cost seconds a test: Argon2 is slow on purpose.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # type: ignore[attr-defined]
    cache.clear()
    translation.deactivate()  # a page in German leaves the thread in German


@pytest.fixture
def cast(db: None) -> Cast:
    """The people and projects of tests/support/cast.py."""
    return make_cast()


@pytest.fixture
def rob(cast: Cast) -> User:
    """A second reader of Ward 7."""
    return person("rob", cast.project, roles.READER)


@pytest.fixture
def active_model(db: None) -> ModelVersion:
    """A registered, active model version as rows only; tests that predict use the shipped artefact."""
    return ModelVersion.objects.create(
        version="test-model",
        architecture="vgg16-gap-512-256-128",
        weights_sha256="0" * 64,
        threshold=0.5,
        borderline_low=0.4,
        borderline_high=0.6,
        card={"version": "test-model"},
        state=ModelVersion.State.ACTIVE,
    )


@pytest.fixture
def study(cast: Cast, active_model: ModelVersion, django_capture_on_commit_callbacks: object) -> Study:
    """A synthetic film uploaded by Alice into Ward 7, its prediction waiting."""
    from diagnosis.intake.submission import submit_study
    from tests.support.inputs.films import chest_png

    return submit_study(actor=cast.alice, project=cast.project, data=chest_png()).study


@pytest.fixture
def finished_study(study: Study) -> Study:
    """The same film with a stored result above the operating point."""
    Prediction.objects.filter(study=study).update(
        status=Prediction.Status.SUCCEEDED,
        attempts=1,
        logit=1.5,
        probability=0.82,
        calibrated_probability=0.78,
        outcome=Prediction.Outcome.PNEUMONIA,
        layer="block5_conv3",
        cam=[[0.1 * (row + column) for column in range(14)] for row in range(14)],
        cam_strength=2.6,
        preprocess_ms=9.0,
        forward_ms=210.0,
    )
    study.refresh_from_db()
    return study
