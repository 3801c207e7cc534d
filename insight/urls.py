"""Addresses of statistics, exports and reports."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
