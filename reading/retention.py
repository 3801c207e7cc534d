"""What reading says about films in the trash: a signed read keeps its film, drafts go with theirs."""

from django.db.models import OuterRef

from core.expressions import ExistsForRow
from diagnosis.models import Study
from diagnosis.studies.trash import Keeper
from reading.models import Review


def signed_reads() -> ExistsForRow:
    """Return the condition on a film's row that a read of it is signed."""
    return ExistsForRow(Review.objects.signed().filter(study=OuterRef("pk")).order_by())


def delete_drafts(study: Study) -> None:
    """Delete the reviews of a film that is about to be purged, each before the one that it supersedes."""
    for draft in Review.objects.filter(study=study).order_by("-pk"):
        draft.delete()


KEEPER = Keeper(keeps=signed_reads, before_purge=delete_drafts)
