"""Films: who sees them, sites, subject codes, search, trash."""
