"""Many films at once: the batch, its archive, its progress."""
