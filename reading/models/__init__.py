"""What is stored of reading: reviews, claims, discordance."""

from reading.models.claims import ReadingClaim
from reading.models.discordance import DiscordanceReason
from reading.models.reviews import Review, ReviewQuerySet

__all__ = ["DiscordanceReason", "ReadingClaim", "Review", "ReviewQuerySet"]
