"""The model card as Markdown, made from card.json alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pneumoml.cards.texts import DISCLAIMER
from pneumoml.statistics.metrics import predictive_values

_NAMES = {
    "auc": "AUC",
    "auc_pr": "AUC of precision and recall",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "precision": "Precision (PPV)",
    "npv": "NPV",
    "f1": "F1",
    "brier": "Brier score",
    "ece": "Expected calibration error",
}
_PREVALENCES = (0.625, 0.3, 0.1, 0.05, 0.02)


def render_card(card: Mapping[str, Any]) -> str:
    """Return the card as Markdown; figures are those of the card, each with its number of films."""
    return (
        "\n".join(
            [
                *_head(card),
                *_validation(card),
                *_shifts(card),
                *_scope(card),
                *_explanation(card),
                *_making(card),
                *_limits(card),
            ]
        )
        + "\n"
    )


def _head(card: Mapping[str, Any]) -> list[str]:
    point, calibration = card["operating_point"], card["calibration"]
    low, high = point["borderline"]
    return [
        f"# Model card: {card['version']}",
        "",
        f"**{DISCLAIMER}**",
        "",
        "This page is made from the version's card.json; change neither by hand.",
        "",
        f"- Created {card['created']}; architecture {card['architecture']}; weights sha256 "
        f"`{card['weights']['sha256']}` ({card['weights']['dtype']}, {card['weights']['bytes']:,} bytes)",
        f"- Intended use: {card['intended_use']}",
        f"- Licence: {card['licence']}",
        "",
        "## Operating point and calibration",
        "",
        f"A film counts as pneumonia from a calibrated probability of **{point['threshold']}**; between "
        f"{low} and {high} the result is marked borderline. Policy: {point['policy']}",
        "",
        f"Calibrated probability = sigmoid(logit / {calibration['temperature']:.4f} "
        f"+ {calibration['bias']:.4f}).",
        "",
    ]


def _validation(card: Mapping[str, Any]) -> list[str]:
    found = card["metrics"]["validation"]
    rows = [
        f"| {title} | {found[name]:.4f} | {found[f'{name}_ci'][0]:.4f} to {found[f'{name}_ci'][1]:.4f} |"
        for name, title in _NAMES.items()
    ]
    values = [
        f"| {prevalence:.1%} | {ppv:.3f} | {npv:.3f} |"
        for prevalence in _PREVALENCES
        for ppv, npv in [predictive_values(found["sensitivity"], found["specificity"], prevalence)]
    ]
    counts = found["confusion"]
    return [
        f"## Validation films (n = {found['n']})",
        "",
        "Patients apart from those trained on, but of the same centre and the same cameras: these figures "
        "say little about any other films. Calibration and operating point were fitted on the same films. "
        "Intervals are 95 % (Wilson for proportions, bootstrap over patients otherwise).",
        "",
        "| Metric | Value | 95 % interval |",
        "|---|---|---|",
        *rows,
        "",
        f"Confusion: {counts['tn']} true negative, {counts['fp']} false positive, {counts['fn']} false "
        f"negative, {counts['tp']} true positive.",
        "",
        "Predictive values at other prevalences, from the sensitivity and specificity above:",
        "",
        "| Prevalence | PPV | NPV |",
        "|---|---|---|",
        *values,
        "",
    ]


def _shifts(card: Mapping[str, Any]) -> list[str]:
    metrics = card["metrics"]
    rows = [
        f"| {name} | {row['n']} | {row['auc']:.4f} | {row['sensitivity']:.3f} | {row['specificity']:.3f} | "
        f"{row['ece']:.3f} |"
        for name, row in metrics["shift_tests"].items()
    ]
    return [
        "## Shift tests",
        "",
        "Fixed changes to validation films. “Swapped” changes make each class look as if the other class's "
        "camera had taken it. “Matched” are pairs of unchanged films that acquisition cannot tell apart, "
        "“reversed” those whose acquisition looks like the other class.",
        "",
        "| Test | n | AUC | Sensitivity | Specificity | ECE |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
        f"Acquisition alone (sharpness, contrast, borders: no anatomy) reaches an AUC of "
        f"{metrics['metadata_only_auc']:.3f} on the unchanged validation films.",
        "",
    ]


def _scope(card: Mapping[str, Any]) -> list[str]:
    """Return the scope gate's measured rates; empty for an older card without a scope."""
    if "measured" not in card.get("scope", {}):
        return []
    scope = card["scope"]
    rows = [
        f"| {name} | {row['n']} | {row['flagged']} | {row['share']:.1%} | "
        f"{row['share_ci'][0]:.1%} to {row['share_ci'][1]:.1%} |"
        for name, row in scope["measured"].items()
        if row["n"]
    ]
    return [
        "## Scope gate",
        "",
        "A film that looks unlike the training films is flagged, with the reason; its score is shown all the "
        f"same. {scope['method']}",
        "",
        "| Pictures | n | Flagged | Share | 95 % interval (Wilson) |",
        "|---|---|---|---|---|",
        *rows,
        "",
        scope["missing"],
        "",
    ]


_TESTS = {
    "weight_randomisation.dense_layers": (
        "Dense layers random: rank correlation of maps",
        "rank_correlation",
    ),
    "weight_randomisation.dense_layers_and_block_5": (
        "Dense layers and block 5 random: rank correlation of maps",
        "rank_correlation",
    ),
    "deletion": ("Deletion: gain over random order, area under probability", "gain_over_random_order"),
    "insertion": ("Insertion: gain over random order, area under probability", "gain_over_random_order"),
    "stability": ("Shifts of 8 pixels: rank correlation of maps", "rank_correlation"),
    "outside_thorax": ("Share of heat outside the thorax", "share_of_heat"),
    "agreement_with_hirescam": ("Grad-CAM and HiResCAM: rank correlation", "rank_correlation"),
    "unreliable_maps.above_the_operating_point": (
        "Maps called unreliable, films above the operating point",
        "share",
    ),
    "unreliable_maps.below_the_operating_point": (
        "Maps called unreliable, films below the operating point",
        "share",
    ),
}


def _explanation(card: Mapping[str, Any]) -> list[str]:
    """Return the explanation evaluation; empty for an older card without one."""
    if "explanation" not in card:
        return []
    found = card["explanation"]
    rows = []
    for place, (title, name) in _TESTS.items():
        row = found
        for part in place.split("."):
            row = row[part]
        if row["n"]:
            low, high = row[f"{name}_ci"]
            rows.append(f"| {title} | {row['n']} | {row[name]:.3f} | {low:.3f} to {high:.3f} |")
    limits, outside = found["limits"], found["outside_thorax"]
    return [
        "## Explanation report card",
        "",
        found["about"],
        "",
        "| Test | n | Mean | 95 % interval |",
        "|---|---|---|---|",
        *rows,
        "",
        "Random weights must give other maps (a low correlation); shifted films and the second method the "
        f"same ones (a high correlation). The thorax is approximated: {outside['thorax']}; an even map has "
        f"{outside['share_for_an_even_map']:.3f} of its heat outside it.",
        "",
        f"The map of a single film is called unreliable where it is weaker than "
        f"{limits['least_strength']:.0%} of a typical strong map, where more than "
        f"{limits['most_outside']:.0%} of its heat lies outside the thorax, or where its rank correlation "
        f"with HiResCAM is below {limits['least_agreement']}. A reliable map is not a correct one.",
        "",
        *(f"- {source}" for source in found["sources"]),
        "",
    ]


def _making(card: Mapping[str, Any]) -> list[str]:
    training, data = card["training"], card["data"]
    films = "; ".join(
        f"{split}: " + ", ".join(f"{count} {subtype}" for subtype, count in counts.items())
        for split, counts in data["films"].items()
    )
    note = [f"- {training['note']}"] if training["note"] else []
    layers = training.get("trained_layers")
    trained = (
        [f"- Trained were {', '.join(layers)}; all other layers keep the base weights."] if layers else []
    )
    return [
        "## Data and training",
        "",
        f"- {data['source']}; {data['patients']} patients; split {data['split']}. {films}.",
        f"- `{training['command']}`, seed {training['seed']}, base weights: {training['base_weights']}",
        f"- {training['epochs']} epochs over cached passes, {training['fitting_seconds']} seconds of "
        "fitting; the whole recipe is in card.json.",
        *trained,
        *note,
        "",
    ]


def _limits(card: Mapping[str, Any]) -> list[str]:
    return ["## Limits", "", *(f"- {limit}" for limit in card["limits"])]
