"""Batches of films: service, unpacking, maintenance, progress."""
