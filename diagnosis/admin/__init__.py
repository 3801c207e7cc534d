"""The administration's pages of people, films, AI results and model versions, registered by import."""

from diagnosis.admin import model_versions, people, predictions, studies

__all__ = ["model_versions", "people", "predictions", "studies"]
