"""manage.py download_dataset: download the films, split them by patient, report on them."""

import json
import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from core.management.base import FriendlyCommand
from core.management.progress_bars import film_bar
from pneumoml.training.dataset import (
    SPLIT_FILE,
    DatasetRefused,
    LabelledFilm,
    read_split,
    scan_folder,
    split_by_patient,
    write_split,
)

KAGGLE_DATASET = "paultimothymooney/chest-xray-pneumonia"
REPORT_FILE = "data-report.json"
# The set takes 1.2 GB as an archive and as much again unpacked.
_NEEDED_BYTES = 3 * 1024**3


class Command(FriendlyCommand):
    """Prepare a folder of films for train_model."""

    help = (
        "Download the chest films of Kermany et al. (2018) from Kaggle, or take a copy at hand with --from, "
        "write the split of the training films into training and validation by patient (split.csv), and a "
        "data report: counts, sizes, duplicates across the splits, and how well acquisition alone "
        "(sharpness, contrast, borders: no anatomy) tells the classes apart. A download that was "
        "interrupted goes on; Kaggle's client checks what it gets. The 16 films of the official validation "
        "folder are too few to choose by and are not used; the official test folder is for evaluate_model "
        "only."
    )
    examples = (
        "  manage.py download_dataset\n"
        "  manage.py download_dataset --from chest_xray/train\n"
        "  manage.py download_dataset --from chest_xray/train --validation-share 0.15 --seed 7\n"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--from", dest="source", type=Path, metavar="DIR", help="A folder with NORMAL/ and PNEUMONIA/."
        )
        parser.add_argument(
            "--validation-share", type=float, default=0.12, help="Share of films (%(default)s)."
        )
        parser.add_argument("--seed", type=int, default=42, help="Seed of the split (%(default)s).")
        parser.add_argument("--split-anew", action="store_true", help="Replace a split that is there.")
        parser.add_argument("--json", action="store_true", help="Print the report as one JSON object.")

    def run(self, **options: Any) -> None:
        """Download, split, report."""
        from pneumoml.evaluation.data_report import data_report

        if not 0 < options["validation_share"] < 1:
            raise CommandError("The validation share lies between 0 and 1, for example 0.12.")
        folder = options["source"] or _download()
        try:
            films = _split(folder, options)
            report = data_report(films, film_bar())
            (folder / REPORT_FILE).write_text(json.dumps(report, indent=2), "utf-8")
        except DatasetRefused as refused:
            raise CommandError(refused.message) from refused
        except OSError as error:
            raise CommandError(f"{folder} cannot be written to: {error.strerror}.") from error
        if options["json"]:
            self.say_json({"folder": str(folder), **report})
        else:
            self._print(folder, report)

    def _print(self, folder: Path, report: dict[str, Any]) -> None:
        self.say(f"{folder}: {report['patients']} patients")
        for split, films in report["films"].items():
            self.say(f"  {split}: " + ", ".join(f"{count} {subtype}" for subtype, count in films.items()))
        self.say(f"  patients in both splits: {report['patients_in_both_splits']}")
        self.say(f"  exact duplicates: {report['exact_duplicates']}")
        self.say(f"  near duplicates across splits: {report['near_duplicates_across_splits']}")
        self.say(f"  acquisition alone: AUC {report['metadata_only_auc']:.3f} on validation")
        self.say(f"Next: manage.py train_model --data {folder} --recipe robust")
        self.say(settings.DISCLAIMER)


def _split(folder: Path, options: dict[str, Any]) -> list[LabelledFilm]:
    if (folder / SPLIT_FILE).is_file() and not options["split_anew"]:
        return read_split(folder)
    films = split_by_patient(
        scan_folder(folder), validation_share=options["validation_share"], seed=options["seed"]
    )
    write_split(films, folder)
    return read_split(folder)


def _download() -> Path:
    """Download the set into Kaggle's cache; every failure becomes a sentence."""
    import kagglehub

    if shutil.disk_usage(Path.home()).free < _NEEDED_BYTES:
        raise CommandError("The set needs 3 GB of free disk. Make room, or point --from at a copy elsewhere.")
    try:
        root = Path(kagglehub.dataset_download(KAGGLE_DATASET))
    except Exception as error:  # the client raises errors of many libraries
        raise CommandError(_explanation(error)) from error
    found = sorted(path.parent for path in root.rglob("train/NORMAL") if path.is_dir())
    if not found:
        raise CommandError("The download holds no folder train/NORMAL. Delete it and download again.")
    return found[0]


def _explanation(error: Exception) -> str:
    """Explain a failed download and what to do, by the error's type and HTTP status."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in {401, 403}:
        return (
            "Kaggle refused the credentials. Create a token under kaggle.com, Settings, API, and save it as "
            "~/.kaggle/kaggle.json, or set KAGGLE_USERNAME and KAGGLE_KEY."
        )
    if isinstance(error, OSError) and error.errno == 28:
        return "The disk is full. Make room and run the command again: it goes on where it stopped."
    if isinstance(error, (ConnectionError, TimeoutError)) or "Connection" in type(error).__name__:
        return "Kaggle cannot be reached. Check the network, or point --from at a copy of the films."
    return (
        f"The download failed ({type(error).__name__}). Run it again, or use --from with a copy of the films."
    )
