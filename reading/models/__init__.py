"""What is stored of reading: a project's rules, reviews, claims, discordance and adjudication."""

from reading.models.claims import ReadingClaim
from reading.models.discordance import Adjudication, DiscordanceReason
from reading.models.opinions import (
    OTHERS_SHOWN,
    films_with_opinions,
    opinions_hidden,
    others_hidden_from,
    with_opinions,
)
from reading.models.reviews import Review, ReviewQuerySet
from reading.models.settings import ReadingSettings

__all__ = [
    "OTHERS_SHOWN",
    "Adjudication",
    "DiscordanceReason",
    "ReadingClaim",
    "ReadingSettings",
    "Review",
    "ReviewQuerySet",
    "films_with_opinions",
    "opinions_hidden",
    "others_hidden_from",
    "with_opinions",
]
