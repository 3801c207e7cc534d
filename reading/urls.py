"""Addresses of the history and of reviews."""
from django.urls import path

from reading.views import history

urlpatterns = [
    path("studies/", history.history, name="studies"),
]
