"""Tables about people besides Django's own: preferences, details of API tokens, login attempts."""

from accounts.models.attempts import LoginAttempt
from accounts.models.preferences import UserPreference
from accounts.models.tokens import TokenDetails

__all__ = ["LoginAttempt", "TokenDetails", "UserPreference"]
