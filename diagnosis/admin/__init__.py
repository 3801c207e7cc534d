"""The administration's pages of people, films, AI results and model versions, registered by import."""

from diagnosis.admin import models, people, predictions, studies

__all__ = ["models", "people", "predictions", "studies"]
