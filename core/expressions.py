"""An EXISTS that stays fast where a page needs a few rows of a long list."""

from django.db import models


class ExistsForRow(models.Exists):
    """`Exists` as a scalar subquery, evaluated for each row that is reached.

    PostgreSQL may turn a plain EXISTS into a hash of the whole inner table or a join with it: half a second
    with a million films, where the page needs forty rows. It does not rewrite a scalar subquery.
    """

    template = "COALESCE((%(subquery)s) = 1, FALSE)"
