"""EXISTS for lists of many films, of which a page needs a few."""

from django.db import models


class ExistsForRow(models.Exists):
    """`Exists`, looked up for each row that is reached; wherever a page of a long list asks it.

    PostgreSQL may turn a plain EXISTS into a hash of the whole inner table or a join with it: half a second
    with a million films, where the page needs forty rows. A scalar subquery it leaves as it is.
    """

    template = "COALESCE((%(subquery)s) = 1, FALSE)"
