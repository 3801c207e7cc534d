"""Fetches one film from a public URL, and from nowhere else."""


def fetch_url(url: str) -> bytes:
    """Return the body found at `url`; raises UrlRefused."""
    raise NotImplementedError(url)
