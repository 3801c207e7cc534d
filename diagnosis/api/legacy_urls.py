"""The address that the first version of the API had for predictions."""

from django.urls import path

from diagnosis.api.legacy import PredictView

urlpatterns = [path("predict", PredictView.as_view(), name="predict")]
