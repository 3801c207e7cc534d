"""What is stored about people besides Django's own tables: preferences, details of API tokens."""

from accounts.models.preferences import UserPreference
from accounts.models.tokens import TokenDetails

__all__ = ["TokenDetails", "UserPreference"]
