"""Processes of an installation: install, broker, supervisor."""
