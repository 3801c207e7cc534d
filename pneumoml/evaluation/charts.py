"""Pictures of an evaluation and of a training run, as PNG files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pneumoml.statistics.metrics import Confusion, Floats, auc, auc_pr, confusion, reliability
from pneumoml.training.dataset import CLASSES

_BLUE, _ORANGE, _GREY = "#0b5cad", "#c2410c", "#6b7280"
_FOOTNOTE = "Research and education only. Not for clinical use."


def _figure(title: str) -> tuple[Any, Any]:
    # The object interface needs no global state and no display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set_title(title)
    figure.text(0.01, 0.005, _FOOTNOTE, fontsize=6, color=_GREY)
    return figure, axes


def _save(figure: Any, path: Path) -> Path:
    figure.savefig(path, dpi=110, metadata={"Software": None})
    return path


def draw_evaluation(folder: Path, labels: Floats, probabilities: Floats, threshold: float) -> list[Path]:
    """Draw confusion matrix, ROC, precision-recall, calibration and score histogram into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        draw_confusion(folder / "confusion_matrix.png", confusion(labels, probabilities, threshold)),
        draw_roc(folder / "roc.png", labels, probabilities, threshold),
        draw_precision_recall(folder / "precision_recall.png", labels, probabilities),
        draw_calibration(folder / "calibration.png", labels, probabilities),
        draw_scores(folder / "scores.png", labels, probabilities, threshold),
    ]


def draw_confusion(path: Path, counts: Confusion) -> Path:
    """Draw the confusion matrix with counts and row shares."""
    figure, axes = _figure("Confusion matrix")
    table = np.array([[counts.tn, counts.fp], [counts.fn, counts.tp]])
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row in range(2):
        for column in range(2):
            ink = "white" if shares[row, column] > 0.6 else "black"
            text = f"{table[row, column]}\n{shares[row, column]:.1%}"
            axes.text(column, row, text, ha="center", va="center", color=ink)
    axes.set(xticks=(0, 1), yticks=(0, 1), xticklabels=CLASSES, yticklabels=CLASSES)
    axes.set(xlabel="Model", ylabel="Reference")
    return _save(figure, path)


def draw_roc(path: Path, labels: Floats, scores: Floats, threshold: float) -> Path:
    """Draw the ROC curve with the operating point marked."""
    from sklearn.metrics import roc_curve

    figure, axes = _figure(f"ROC, area {auc(labels, scores):.3f}")
    false, true, _ = roc_curve(labels, scores)
    axes.plot(false, true, color=_BLUE)
    axes.plot((0, 1), (0, 1), color=_GREY, linestyle=":")
    positive = scores >= threshold
    point = (positive[labels == 0].mean(), positive[labels == 1].mean())
    axes.plot(*point, "o", color=_ORANGE, label=f"threshold {threshold:.3f}")
    axes.set(xlabel="1 − specificity", ylabel="Sensitivity", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.legend(loc="lower right")
    return _save(figure, path)


def draw_precision_recall(path: Path, labels: Floats, scores: Floats) -> Path:
    """Draw the precision-recall curve with the share of pneumonia as its floor."""
    from sklearn.metrics import precision_recall_curve

    figure, axes = _figure(f"Precision and recall, area {auc_pr(labels, scores):.3f}")
    precision, recall, _ = precision_recall_curve(labels, scores)
    axes.plot(recall, precision, color=_BLUE)
    axes.axhline(float(labels.mean()), color=_GREY, linestyle=":")
    axes.set(xlabel="Recall (sensitivity)", ylabel="Precision", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    return _save(figure, path)


def draw_calibration(path: Path, labels: Floats, probabilities: Floats) -> Path:
    """Draw the reliability diagram; the size of a dot follows the number of films."""
    figure, axes = _figure("Calibration")
    groups = reliability(labels, probabilities, bins=10)
    means, observed, counts = (np.array(column) for column in zip(*groups, strict=True))
    axes.plot((0, 1), (0, 1), color=_GREY, linestyle=":")
    axes.plot(means, observed, color=_BLUE, linewidth=1)
    axes.scatter(means, observed, s=15 + 150 * counts / counts.max(), color=_BLUE, alpha=0.7)
    axes.set(xlabel="Calibrated probability", ylabel="Share with pneumonia", xlim=(0, 1), ylim=(0, 1))
    return _save(figure, path)


def draw_scores(path: Path, labels: Floats, probabilities: Floats, threshold: float) -> Path:
    """Draw a histogram of the calibrated probabilities of either class."""
    figure, axes = _figure("Scores by class")
    for label, colour in ((0, _BLUE), (1, _ORANGE)):
        chosen = probabilities[labels == label]
        axes.hist(chosen, bins=30, range=(0, 1), color=colour, alpha=0.6, label=CLASSES[label])
    axes.axvline(threshold, color="black", linestyle="--", label=f"threshold {threshold:.3f}")
    axes.set(xlabel="Calibrated probability", ylabel="Films", yscale="symlog")
    axes.legend()
    return _save(figure, path)


def draw_epochs(path: Path, epochs: Sequence[Any]) -> Path:
    """Draw training and validation loss and validation AUC of `fitting.Epoch` lines."""
    figure, axes = _figure("Training")
    numbers = [line.epoch for line in epochs]
    axes.plot(numbers, [line.loss for line in epochs], color=_BLUE, label="training loss")
    axes.plot(numbers, [line.val_loss for line in epochs], color=_ORANGE, label="validation loss")
    axes.set(xlabel="Epoch", ylabel="Binary cross-entropy")
    second = axes.twinx()
    second.plot(
        numbers, [line.val_auc for line in epochs], color=_GREY, linestyle="--", label="validation AUC"
    )
    second.set_ylabel("AUC")
    figure.legend(loc="outside lower center", ncols=3, fontsize=7)
    return _save(figure, path)
