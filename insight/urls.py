"""Addresses of statistics, exports and reports."""

from django.urls import path

from insight.views import exports

urlpatterns = [
    path("exports/", exports.export_page, name="export"),
    path("exports/reads.csv", exports.reads_csv, name="export-csv"),
    path("exports/reads.xlsx", exports.reads_xlsx, name="export-xlsx"),
    path("exports/films.zip", exports.films_zip, name="export-zip"),
    path("exports/codebook.csv", exports.codebook_csv, name="export-codebook"),
]
