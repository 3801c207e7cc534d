"""PDF reports of a film and of a project."""
