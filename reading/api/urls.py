"""API URLs of films with their reviews."""

from django.urls import include, path, register_converter
from rest_framework.routers import SimpleRouter

from diagnosis.api.studies import FileKindConverter
from reading.api.views import ReviewedStudyViewSet, ReviewViewSet

register_converter(FileKindConverter, "filekind")

router = SimpleRouter(use_regex_path=False)
router.register("studies", ReviewedStudyViewSet, basename="api-study")
router.register("reviews", ReviewViewSet, basename="api-review")

urlpatterns = [path("", include(router.urls))]
