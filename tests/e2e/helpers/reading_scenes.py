"""Scenes of reading in the web server's database: a project, two readers, films with results."""

import json
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group, User
from django.contrib.sessions.backends.db import SessionStore

from accounts import roles
from diagnosis.intake.submission import submit_study
from diagnosis.models import Prediction, Project, ProjectMembership, Study
from reading.reviews.claims import claim_film
from reading.reviews.service import review_study
from tests.e2e.helpers.study_films import HEIGHT, RESULT, WIDTH
from tests.support.cast import PASSWORD
from tests.support.inputs.films import chest_like, png


def make(count: int, films: int) -> None:
    """Create `count` scenes, each in a project that hides results above the operating point; print them."""
    print(json.dumps([_scene(number, films) for number in range(count)]))  # noqa: T201 - read by the tests


def _scene(number: int, films: int) -> dict[str, Any]:
    project = Project.objects.create(
        slug=f"scene-{number}", name=f"Scene {number}", ai_visibility=Project.AiVisibility.HIDDEN
    )
    first, second = (_reader(f"{name}-{number}", project) for name in ("rania", "rob"))
    studies = []
    for seed in range(films):
        film = png(chest_like(HEIGHT, WIDTH, seed=1000 + seed))
        studies.append(submit_study(actor=first, project=project, data=film, subject_code=f"S-{seed}").study)
    Prediction.objects.filter(study__in=studies).update(**RESULT)
    return {
        "films": [str(study.uid) for study in studies],
        "readers": [first.username, second.username],
        "sessions": [_session(first), _session(second)],
    }


def _reader(name: str, project: Project) -> User:
    user = User.objects.create_user(name, password=PASSWORD)
    user.groups.set(Group.objects.filter(name__in=[roles.READER, roles.UPLOADER]))
    ProjectMembership.objects.create(project=project, user=user)
    return user


def _session(user: User) -> str:
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    return str(store.session_key)


def claim(reader: str, film: str) -> None:
    """Let the reader open the film."""
    claim_film(actor=User.objects.get(username=reader), study=Study.objects.get(uid=film))


def sign(reader: str, film: str, finding: str) -> None:
    """Let the reader sign a read of the film."""
    user, study = User.objects.get(username=reader), Study.objects.get(uid=film)
    review_study(actor=user, study=study, finding=finding, confidence=70, sign=True)
