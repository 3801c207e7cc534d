"""The version of the program, which a test compares with pyproject.toml, and that of its API."""

VERSION = "0.2.0"
API_VERSION = "2.0"
