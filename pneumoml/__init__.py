"""The model as a library: NumPy arrays in and out; no Django, no Celery, no environment variables."""

DISCLAIMER = "Research and education only. Not for clinical use."
