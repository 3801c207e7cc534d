"""Stores of films (disk, S3), the upload journal, and the comparison of rows and files."""
