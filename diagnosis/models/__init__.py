"""What is stored: projects, sites, films, batches, model versions, predictions, notifications, workers."""

from diagnosis.models.batches import Batch, BatchItem, BatchQuerySet
from diagnosis.models.disclosures import AI_SHOWN, ResultDisclosure, ai_hidden_from
from diagnosis.models.notifications import Notification, NotificationQuerySet
from diagnosis.models.predictions import ModelVersion, Prediction, PredictionQuerySet, newest_prediction
from diagnosis.models.projects import Project, ProjectMembership, ProjectQuerySet
from diagnosis.models.sites import Site, SiteQuerySet
from diagnosis.models.studies import (
    Study,
    StudyQuerySet,
    _display_path,
    _original_path,
    _thumbnail_path,
    film_visible_to,
)
from diagnosis.models.workers import WorkerStatus

__all__ = [
    "AI_SHOWN",
    "Batch",
    "BatchItem",
    "BatchQuerySet",
    "ModelVersion",
    "Notification",
    "NotificationQuerySet",
    "Prediction",
    "PredictionQuerySet",
    "Project",
    "ProjectMembership",
    "ProjectQuerySet",
    "ResultDisclosure",
    "Site",
    "SiteQuerySet",
    "Study",
    "StudyQuerySet",
    "WorkerStatus",
    "_display_path",  # the migrations name these three
    "_original_path",
    "_thumbnail_path",
    "ai_hidden_from",
    "film_visible_to",
    "newest_prediction",
]
