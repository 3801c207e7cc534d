"""Middleware: request id and log, session renewal, sign-in redirects for htmx."""
