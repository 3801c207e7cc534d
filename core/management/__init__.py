"""Base of the management commands."""
