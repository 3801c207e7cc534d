"""Figures over many films: volumes, accuracy, agreement, drift."""
