"""Grad-CAM, heat maps, contours, and how far a map can be trusted."""
