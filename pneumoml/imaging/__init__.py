"""Preprocessing and the search for burned-in text."""
