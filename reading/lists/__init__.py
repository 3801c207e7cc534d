"""Lists of films: the history with its filters, the worklist, saved views."""
