"""Model versions: register, activate, retire, roll back; refuses files that do not match their card."""

from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit import trail
from core.errors import Conflict, ModelRefused, NotReady
from diagnosis.models import ModelVersion
from pneumoml.cards.artifact import Artifact, ArtifactRefused, load_artifact, shipped_versions

State = ModelVersion.State


def active_model() -> ModelVersion:
    """Return the version that new predictions are pinned to; raises NotReady when there is none."""
    model = ModelVersion.objects.filter(state=State.ACTIVE).first()
    if model is None:
        raise NotReady(
            "no_active_model", _("No model is active. An administrator can run: register_model --activate")
        )
    return model


def artifact_folder(version: str) -> Path:
    """Return the folder under MODELS_DIR that holds the version's weights and card."""
    return Path(settings.MODELS_DIR) / version


def artifact_of(model: ModelVersion) -> Artifact:
    """Load the version's artefact and check that it is the one that was registered.

    Raises ModelRefused when a file is missing, was changed, or differs from the registered hash.
    """
    artifact = _load(model.version)
    if artifact.card.weights_sha256 != model.weights_sha256:
        raise ModelRefused(
            "hash_mismatch",
            _("The weights of %(version)s are not those that were registered.") % {"version": model.version},
        )
    return artifact


def _load(version: str) -> Artifact:
    try:
        return load_artifact(artifact_folder(version))
    except ArtifactRefused as refusal:
        raise ModelRefused(refusal.code, refusal.message) from refusal


def register(*, actor: User | None, version: str) -> ModelVersion:
    """Register the version found under MODELS_DIR, or return it when it is already registered.

    Raises ModelRefused for a missing or changed artefact.
    """
    card = _load(version).card
    if card.version != version:
        raise ModelRefused(
            "version_mismatch",
            _("The card in folder %(folder)s names the version %(version)s.")
            % {"folder": version, "version": card.version},
        )
    with transaction.atomic():
        model, created = ModelVersion.objects.get_or_create(
            version=version,
            defaults={
                "architecture": card.architecture,
                "weights_sha256": card.weights_sha256,
                "threshold": card.threshold,
                "borderline_low": card.borderline[0],
                "borderline_high": card.borderline[1],
                "card": dict(card.raw),
            },
        )
        if created:
            trail.record(actor=actor, verb="model_registered", target=model, version=version)
        elif model.weights_sha256 != card.weights_sha256:
            message = _(
                "%(version)s is already registered with other weights. Give the new ones a new version name."
            )
            raise ModelRefused("hash_mismatch", message % {"version": version})
    return model


def register_shipped(*, actor: User | None) -> list[ModelVersion]:
    """Register every version found under MODELS_DIR; return them oldest first, by the date on their cards.

    Raises ModelRefused for a missing or changed artefact.
    """
    models = [register(actor=actor, version=name) for name in shipped_versions(Path(settings.MODELS_DIR))]
    return sorted(models, key=lambda model: (str(model.card.get("created", "")), model.version))


def activate(*, actor: User | None, model: ModelVersion) -> ModelVersion:
    """Make `model` the active version; the previous one is retired and can be rolled back to."""
    artifact_of(model)
    with transaction.atomic():
        previous = ModelVersion.objects.select_for_update().filter(state=State.ACTIVE).exclude(pk=model.pk)
        previous.update(state=State.RETIRED)
        ModelVersion.objects.filter(pk=model.pk).update(state=State.ACTIVE, activated_at=timezone.now())
        trail.record(actor=actor, verb="model_activated", target=model, version=model.version)
    model.refresh_from_db()
    return model


def retire(*, actor: User | None, model: ModelVersion) -> ModelVersion:
    """Retire a version that is not active; its results stay."""
    if model.state == State.ACTIVE:
        raise Conflict("model_is_active", _("Activate another version first: this one reads the films now."))
    with transaction.atomic():
        ModelVersion.objects.filter(pk=model.pk).update(state=State.RETIRED)
        trail.record(actor=actor, verb="model_retired", target=model, version=model.version)
    model.refresh_from_db()
    return model


def roll_back(*, actor: User | None) -> ModelVersion:
    """Activate the previously active version; raises Conflict when there is none."""
    previous = (
        ModelVersion.objects.filter(state=State.RETIRED, activated_at__isnull=False)
        .order_by("-activated_at")
        .first()
    )
    if previous is None:
        raise Conflict("nothing_to_roll_back_to", _("No earlier version was ever active."))
    return activate(actor=actor, model=previous)
