"""Sentences of the model card that do not depend on a run: intended use, limits, licence, literature."""

from __future__ import annotations

DISCLAIMER = "Research and education only. Not for clinical use."

INTENDED_USE = (
    "Research and education only. Not for clinical use. Reader studies, teaching and benchmarking on frontal "
    "chest films of children aged one to five years: the score says how much a film resembles the films that "
    "were labelled pneumonia in the training data, and the map shows regions that raised the score."
)

LICENCE = (
    "Weights: CC BY 4.0. They were trained from the VGG16 base of the Visual Geometry Group, University of "
    "Oxford (CC BY 4.0), on films of Kermany D, Zhang K, Goldbaum M (2018), Labeled Optical Coherence "
    "Tomography and Chest X-Ray Images for Classification, Mendeley Data, doi 10.17632/rscbjbr9sj (CC BY "
    "4.0)."
)

LIMITS = [
    "All films come from one centre (Guangzhou Women and Children's Medical Center), from children aged one "
    "to five years, taken frontally; poor films had been removed. Nothing is known about adults, lateral "
    "films, other scanners or other wards.",
    "Labels are impressions of films by two readers, not microbiology; paediatric radiologists themselves "
    "agree on pneumonia only moderately (kappa 0.51, Johnson and Kline 2010).",
    "In the training data the cameras differ by class: sharpness, contrast and width of a film alone tell "
    "the classes apart. Preprocessing and augmentation work against this, and cannot be shown to remove it.",
    "Scores of networks trained on these films fall at other hospitals, down to an area under the curve of "
    "0.54 in one external validation on children (Xin 2021). Validate locally before any study.",
    "Predictive values hold only at the stated prevalence; in a screening population most positive readings "
    "would be false.",
    "A heat map shows regions that raised the score. It is coarse (14 by 14 fields) and neither outlines a "
    "finding nor explains the decision.",
]
