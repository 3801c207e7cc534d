"""Whether a film is one that the model can judge."""
