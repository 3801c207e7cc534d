"""The API of the audit trail, and the probes of monitors."""
