"""Addresses of the history, of reviews and of the worklist."""

from django.urls import path

from reading.views import history, review, worklist

urlpatterns = [
    path("studies/", history.history, name="studies"),
    path("studies/<uuid:uid>/reviews/", review.study_reviews, name="study-reviews"),
    path("studies/<uuid:uid>/claim/", worklist.claim, name="study-claim"),
    path("worklist/", worklist.worklist, name="worklist"),
]
