"""URLs of the film list, reviews, worklist, discordance, adjudication, marks, trash and reading rules."""

from django.urls import path

from reading.views import (
    adjudication,
    discordance,
    history,
    marks,
    review,
    rules,
    saved_views,
    worklist,
)

urlpatterns = [
    path("studies/", history.history, name="studies"),
    path("studies/<uuid:uid>/reviews/", review.study_reviews, name="study-reviews"),
    path("studies/<uuid:uid>/claim/", worklist.claim, name="study-claim"),
    path("worklist/", worklist.worklist, name="worklist"),
    path("discordance/", discordance.discordance_list, name="discordance"),
    path("studies/<uuid:uid>/discordance/", discordance.give_reason, name="discordance-reason"),
    path("adjudication/", adjudication.adjudication_list, name="adjudications"),
    path("studies/<uuid:uid>/adjudication/", adjudication.study_adjudication, name="study-adjudication"),
    path("studies/<uuid:uid>/marks/", marks.study_marks, name="study-marks"),
    path("views/", saved_views.save, name="save-view"),
    path("views/<uuid:uid>/remove/", saved_views.remove, name="remove-view"),
    path("reading-rules/<slug:slug>/tags/", marks.project_tags, name="project-tags"),
    path(
        "reading-rules/<slug:slug>/tags/<int:tag>/remove/",
        marks.project_tag_remove,
        name="project-tag-remove",
    ),
    path("reading-rules/", rules.projects, name="reading-rules"),
    path("reading-rules/<slug:slug>/", rules.project_rules, name="project-reading-rules"),
]
