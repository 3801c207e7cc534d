"""Presentation of a result: pictures, texts, the model card."""
