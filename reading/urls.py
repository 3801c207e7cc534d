"""Addresses of the history and of reviews."""

from django.urls import path

from reading.views import history, review

urlpatterns = [
    path("studies/", history.history, name="studies"),
    path("studies/<uuid:uid>/reviews/", review.study_reviews, name="study-reviews"),
]
