"""How dates are written in pages where Django's own habit does not fit: one folder a language."""
