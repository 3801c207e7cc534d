"""Withholds the AI result in projects that hide it until the reader has signed."""

from django.utils.translation import gettext_lazy as _

from core.errors import NotAllowed
from core.users import AnyUser
from diagnosis.models import AI_SHOWN, Prediction, Project, Study, newest_prediction

_HIDDEN = _("This project hides the AI result from you until you have signed your own read of the film.")


def as_seen_by(user: AnyUser, study: Study) -> Study:
    """Return the same film with its `ai_hidden` set for `user`; for films that a service returned."""
    study.ai_hidden = not Study.objects.visible_to(user).filter(AI_SHOWN, pk=study.pk).exists()
    return study


def shown_prediction(study: Study) -> Prediction | None:
    """Return the newest prediction with its `ai_hidden` set, or None where its result is withheld."""
    if study.ai_hidden:
        return None
    prediction = newest_prediction(study)
    if prediction is not None:
        prediction.ai_hidden = False
    return prediction


def shown_result(study: Study) -> Prediction | None:
    """Return the newest prediction where it has a result, or None where that is withheld."""
    prediction = shown_prediction(study)
    return prediction if prediction and prediction.status == Prediction.Status.SUCCEEDED else None


def check_shown(study: Study) -> None:
    """Raise NotAllowed (code ai_hidden) where the AI result of a film is withheld.

    The film comes from `visible_to`, which sets `ai_hidden` for the user.
    """
    if study.ai_hidden:
        raise NotAllowed("ai_hidden", _HIDDEN)


def check_answers_with_results(user: AnyUser, project: Project) -> None:
    """Raise NotAllowed (code ai_hidden) where the answer to an upload may not hold its result."""
    if project.hides_results_from(user):
        message = _("Nothing was stored. Send the film to %(address)s instead.") % {
            "address": "/api/v1/studies/"
        }
        raise NotAllowed("ai_hidden", " ".join([str(_HIDDEN), message]))
