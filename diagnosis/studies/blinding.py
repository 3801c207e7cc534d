"""Projects that hide the AI result until a reader has signed: what doors ask before they show it."""

from django.utils.translation import gettext_lazy as _

from core.errors import NotAllowed
from core.users import AnyUser
from diagnosis.models import AI_SHOWN, Prediction, Project, Study, newest_prediction

_HIDDEN = _("This project hides the AI result from you until you have signed your own read of the film.")


def as_seen_by(user: AnyUser, study: Study) -> Study:
    """Return the study itself with its `ai_hidden` for `user`; for doors that got it from a verb."""
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

    The film comes from `visible_to`, which has decided it for the person who asks.
    """
    if study.ai_hidden:
        raise NotAllowed("ai_hidden", _HIDDEN)


def check_answers_with_results(user: AnyUser, project: Project) -> None:
    """Raise NotAllowed (code ai_hidden) where a film of this project cannot be answered with its result."""
    if project.hides_results_from(user):
        message = _("Nothing was stored. Send the film to %(address)s instead.") % {
            "address": "/api/v1/studies/"
        }
        raise NotAllowed("ai_hidden", " ".join([str(_HIDDEN), message]))
