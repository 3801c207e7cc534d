"""Middleware: request number and log, sessions, sign-in of page parts."""
