"""A person asks for a further prediction of a film."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.roles import may_upload, require
from audit import trail
from core.errors import Conflict
from diagnosis.inference import dispatch
from diagnosis.inference.registry import active_model
from diagnosis.models import Prediction, Study


def request_prediction(*, actor: User, study: Study) -> Prediction:
    """Queue a prediction of a film whose last one failed, or that the active model has not analysed yet.

    Raises NotAllowed for those who may not upload, Conflict when the active model's prediction is queued,
    running or done.
    """
    require(actor, may_upload, _("Your account may not have films read again. Ask an administrator."))
    model = active_model()
    with transaction.atomic():
        live = study.predictions.filter(model_version=model).exclude(status=Prediction.Status.FAILED)
        if live.exists():
            raise Conflict("already_read", _("The active model has read this film already, or is about to."))
        prediction = Prediction.objects.create(study=study, model_version=model, requested_by=actor)
        trail.record(actor=actor, verb="prediction_requested", target=study, model_version=model.version)
        transaction.on_commit(lambda: dispatch.enqueue_prediction(str(prediction.uid)))
    return prediction
