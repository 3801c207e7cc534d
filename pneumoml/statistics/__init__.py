"""Statistics: discrimination, calibration, agreement, predictive values, drift."""
