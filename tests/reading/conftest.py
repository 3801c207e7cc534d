"""Films in a project that hides the AI result from readers, with numbers that are found nowhere else."""

import pytest

from diagnosis.models import Prediction, Project, Study
from tests.support.cast import Cast


@pytest.fixture
def hidden_study(finished_study: Study, cast: Cast) -> Study:
    """Alice's film with a result above the operating point, in a project that hides results from readers."""
    Project.objects.filter(pk=cast.project.pk).update(ai_visibility=Project.AiVisibility.HIDDEN)
    Prediction.objects.filter(study=finished_study).update(
        logit=1.5317,
        probability=0.8243,
        calibrated_probability=0.7861,
        cam_strength=2.6373,
        cam=[[0.1 * (row + column) + 0.03717 for column in range(14)] for row in range(14)],
        preprocess_ms=9173.0,
        forward_ms=2179.0,
    )
    return Study.objects.get(pk=finished_study.pk)
