"""Addresses of the history, of reviews, of the worklist and of discordance."""

from django.urls import path

from reading.views import discordance, history, review, worklist

urlpatterns = [
    path("studies/", history.history, name="studies"),
    path("studies/<uuid:uid>/reviews/", review.study_reviews, name="study-reviews"),
    path("studies/<uuid:uid>/claim/", worklist.claim, name="study-claim"),
    path("worklist/", worklist.worklist, name="worklist"),
    path("discordance/", discordance.discordance_list, name="discordance"),
    path("studies/<uuid:uid>/discordance/", discordance.give_reason, name="discordance-reason"),
]
