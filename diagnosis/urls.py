"""Addresses of films, pictures and the model page."""

from django.urls import path

from diagnosis.views import (
    batches,
    burned_in_text,
    media,
    model,
    notifications,
    status_poll,
    study,
    trash,
    upload,
)

urlpatterns = [
    path("upload/", upload.upload, name="upload"),
    path("studies/states/", status_poll.study_states, name="study-states"),
    path("studies/<uuid:uid>/", study.study_page, name="study"),
    path("studies/<uuid:uid>/status/", study.study_status, name="study-status"),
    path("studies/<uuid:uid>/retry/", study.study_retry, name="study-retry"),
    path("studies/<uuid:uid>/delete/", study.study_delete, name="study-delete"),
    path("studies/<uuid:uid>/files/original", media.original, name="study-original"),
    path("studies/<uuid:uid>/files/display.png", media.display, name="study-display"),
    path("studies/<uuid:uid>/files/thumbnail.jpg", media.thumbnail, name="study-thumbnail"),
    path("studies/<uuid:uid>/files/heatmap.png", media.heatmap, name="study-heatmap"),
    path("studies/<uuid:uid>/files/overlay.png", media.overlay, name="study-overlay"),
    path("studies/<uuid:uid>/files/side-by-side.png", media.side_by_side, name="study-side-by-side"),
    path("studies/<uuid:uid>/burned-in-text/", burned_in_text.answer, name="study-burned-in-text"),
    path("burned-in-text/", burned_in_text.queue, name="burned-in-text"),
    path("trash/", trash.trash, name="trash"),
    path("trash/<uuid:uid>/restore/", trash.trash_restore, name="trash-restore"),
    path("model/", model.active_model_page, name="model"),
    path("model/<str:version>/", model.model_version_page, name="model-version"),
    path("batches/", batches.batches, name="batches"),
    path("batches/begin/", batches.batch_begin, name="batch-begin"),
    path("batches/<uuid:batch>/", batches.batch_page, name="batch"),
    path("batches/<uuid:batch>/status/", batches.batch_status, name="batch-status"),
    path("batches/<uuid:batch>/films/", batches.batch_films, name="batch-films"),
    path("batches/<uuid:batch>/close/", batches.batch_close, name="batch-close"),
    path("notifications/", notifications.notifications, name="notifications"),
    path("notifications/bell/", notifications.notification_bell, name="notification-bell"),
    path("notifications/read/", notifications.notifications_read, name="notifications-read"),
]
