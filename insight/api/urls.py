"""API URLs of statistics and exports."""

from django.urls import path

from insight.api.exports import CodebookView, ReadsCsvView, ReadsXlsxView
from insight.api.statistics import StatisticsView

urlpatterns = [
    path("statistics/", StatisticsView.as_view(), name="api-statistics"),
    path("exports/reads.csv", ReadsCsvView.as_view(), name="api-export-csv"),
    path("exports/reads.xlsx", ReadsXlsxView.as_view(), name="api-export-xlsx"),
    path("exports/codebook.csv", CodebookView.as_view(), name="api-export-codebook"),
]
