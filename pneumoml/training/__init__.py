"""Dataset, augmentation, recipe, feature cache, fitting."""
