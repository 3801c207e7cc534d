"""Exports of films and reads as CSV, Excel and ZIP."""
