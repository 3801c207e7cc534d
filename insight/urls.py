"""URLs of statistics, exports and reports."""

from django.urls import path

from insight.views import dashboard, exports, prevalence, projects, reports, sites

urlpatterns = [
    path("dashboard/", dashboard.dashboard, name="dashboard"),
    path("dashboard/<slug:figure>.csv", dashboard.figure_csv, name="dashboard-csv"),
    path("prevalence/", prevalence.prevalence, name="prevalence"),
    path("projects/", projects.project_list, name="projects"),
    path("projects/<slug:slug>/", projects.project_page, name="project"),
    path("projects/<slug:slug>/sites/", sites.project_sites, name="project-sites"),
    path("projects/<slug:slug>/sites/<int:site>/remove/", sites.site_remove, name="site-remove"),
    path("projects/<slug:slug>/report.pdf", reports.project_pdf, name="project-report"),
    path("studies/<uuid:uid>/report.pdf", reports.study_pdf, name="study-report"),
    path("exports/", exports.export_page, name="export"),
    path("exports/reads.csv", exports.reads_csv, name="export-csv"),
    path("exports/reads.xlsx", exports.reads_xlsx, name="export-xlsx"),
    path("exports/films.zip", exports.films_zip, name="export-zip"),
    path("exports/codebook.csv", exports.codebook_csv, name="export-codebook"),
]
