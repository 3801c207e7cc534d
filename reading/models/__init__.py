"""Models of reading: rules, reviews, claims, discordance, adjudications, marks, saved views."""

from reading.models.claims import ReadingClaim
from reading.models.discordance import Adjudication, DiscordanceReason
from reading.models.marks import FilmTag, Note, Tag
from reading.models.opinions import (
    OTHERS_SHOWN,
    films_with_opinions,
    opinions_hidden,
    others_hidden_from,
    others_withheld,
    with_opinions,
)
from reading.models.reviews import Review, ReviewQuerySet
from reading.models.saved_views import SavedView
from reading.models.settings import ReadingSettings

__all__ = [
    "OTHERS_SHOWN",
    "Adjudication",
    "DiscordanceReason",
    "FilmTag",
    "Note",
    "ReadingClaim",
    "ReadingSettings",
    "Review",
    "ReviewQuerySet",
    "SavedView",
    "Tag",
    "films_with_opinions",
    "opinions_hidden",
    "others_hidden_from",
    "others_withheld",
    "with_opinions",
]
