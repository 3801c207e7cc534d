"""manage.py register_model: register, activate, retire and list versions of the network."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from core.errors import ModelRefused
from core.management.base import FriendlyCommand
from diagnosis.inference import registry
from diagnosis.models import ModelVersion


class Command(FriendlyCommand):
    """Manage model versions from the command line; safe to repeat."""

    help = (
        "Register a trained model, so that it can read films. A version is a folder under MODELS_DIR "
        "(pneumoml/models) with card.json and its weights; its checksum is verified. One version is active: "
        "the one that reads new films. Repeating the command changes nothing that is already so."
    )
    examples = (
        "  manage.py register_model --list                    what is registered, and which is active\n"
        "  manage.py register_model --shipped --activate      everything shipped; the newest reads films\n"
        "                                                     unless another version is already active\n"
        "  manage.py register_model pneumonia-2 --activate    register this version and let it read films\n"
        "  manage.py register_model --roll-back               back to the version that was active before\n"
        "  manage.py register_model pneumonia-1 --retire      not to be used any longer\n"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("version", nargs="?", help="The version's name: its folder under MODELS_DIR.")
        parser.add_argument(
            "--shipped", action="store_true", help="Register every version found in MODELS_DIR."
        )
        parser.add_argument("--activate", action="store_true", help="Let the version read films from now on.")
        parser.add_argument("--retire", action="store_true", help="Retire the version; its results stay.")
        parser.add_argument("--roll-back", action="store_true", help="Activate the version active before.")
        parser.add_argument("--list", action="store_true", help="List what is registered (the default).")
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def run(self, **options: Any) -> None:
        """Do one thing, then report it and list the versions."""
        done = self._act(options)
        models = list(ModelVersion.objects.order_by("registered_at", "pk"))
        if options["json"]:
            self.say_json({"done": done, "models": [_facts(model) for model in models]})
            return
        for sentence in done:
            self.say(sentence)
        if options["list"] or not done:
            self._list(models)

    def _act(self, options: dict[str, Any]) -> list[str]:
        version, activate, retire = options["version"], options["activate"], options["retire"]
        if sum((bool(version), options["shipped"], options["roll_back"])) > 1 or (activate and retire):
            raise CommandError("Choose one: a version, --shipped or --roll-back; --activate or --retire.")
        if retire and not version:
            raise CommandError("Name the version to retire, for example: register_model pneumonia-1 --retire")
        if options["roll_back"]:
            return [f"{registry.roll_back(actor=None).version} reads the films again."]
        if version:
            return _one(version, activate, retire)
        if options["shipped"] or activate:
            return _shipped(activate)
        return []

    def _list(self, models: list[ModelVersion]) -> None:
        if not models:
            self.say("No model is registered. Try: manage.py register_model --shipped --activate")
        for model in models:
            self.say(f"{model.get_state_display():<11} {model.version}  (threshold {model.threshold:g})")


def _one(version: str, activate: bool, retire: bool) -> list[str]:
    model = registry.register(actor=None, version=version)
    if retire:
        if model.state != ModelVersion.State.RETIRED:
            registry.retire(actor=None, model=model)
        return [f"{version} is retired."]
    if activate:
        if model.state != ModelVersion.State.ACTIVE:
            registry.activate(actor=None, model=model)
        return [f"{version} is registered and reads the films now."]
    return [f"{version} is registered."]


def _shipped(activate: bool) -> list[str]:
    """Register everything; activate the newest only where no version is active yet."""
    models = registry.register_shipped(actor=None)
    if not models:
        raise ModelRefused(
            "no_model", "No trained model is in MODELS_DIR: no folder there holds a card.json."
        )
    done = [f"{model.version} is registered." for model in models]
    if activate:
        active = ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE).first()
        active = active or registry.activate(actor=None, model=models[-1])
        done.append(f"{active.version} reads the films.")
    return done


def _facts(model: ModelVersion) -> dict[str, Any]:
    return {
        "version": model.version,
        "state": model.state,
        "architecture": model.architecture,
        "threshold": model.threshold,
        "weights_sha256": model.weights_sha256,
        "registered_at": model.registered_at.isoformat(),
        "activated_at": model.activated_at.isoformat() if model.activated_at else None,
    }
