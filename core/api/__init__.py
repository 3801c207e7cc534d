"""Conventions of the REST API: errors, pagination, filters, idempotency, documentation."""
