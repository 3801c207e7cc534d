"""Backups of an installation in one tar file, and new installations from them."""
