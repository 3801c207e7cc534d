"""Audit events of people who look at films and download their files."""

from django.contrib.auth.models import User

from audit import trail
from diagnosis.models import Study, newest_prediction


def record_page_view(*, actor: User, study: Study) -> None:
    """Record that a film's page is shown, with the prediction that it shows."""
    prediction = newest_prediction(study)
    trail.record(
        actor=actor,
        verb="study_viewed",
        target=study,
        prediction=str(prediction.uid) if prediction else None,
        status=prediction.status if prediction else None,
    )


def record_api_view(*, actor: User, study: Study) -> None:
    """Record that the API shows a film's result; asking whether there is one is no view."""
    prediction = newest_prediction(study)
    if prediction is not None and prediction.is_finished:
        trail.record(actor=actor, verb="study_viewed", target=study, through="api")


def record_download(*, actor: User, study: Study, kind: str, **details: str) -> None:
    """Record that a file of the film leaves the program."""
    trail.record(actor=actor, verb="film_downloaded", target=study, kind=kind, **details)
