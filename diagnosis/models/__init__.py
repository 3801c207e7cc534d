"""What is stored: projects, sites, studies, batches, models, predictions, notifications, the audit trail."""

from diagnosis.models.audit_events import AuditEvent, AuditHead
from diagnosis.models.batches import Batch, BatchItem, BatchQuerySet
from diagnosis.models.disclosures import AI_SHOWN, ResultDisclosure, ai_hidden_from
from diagnosis.models.notifications import Notification, NotificationQuerySet
from diagnosis.models.predictions import ModelVersion, Prediction, PredictionQuerySet
from diagnosis.models.preferences import UserPreference
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
from diagnosis.models.tokens import TokenDetails
from diagnosis.models.upkeep import IdempotencyKey, WorkerStatus

__all__ = [
    "AI_SHOWN",
    "AuditEvent",
    "AuditHead",
    "Batch",
    "BatchItem",
    "BatchQuerySet",
    "IdempotencyKey",
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
    "TokenDetails",
    "UserPreference",
    "WorkerStatus",
    "_display_path",  # the migrations name these three
    "_original_path",
    "_thumbnail_path",
    "ai_hidden_from",
    "film_visible_to",
]
