"""Addresses under /api/v1/auth/, and how a token is recognised."""
