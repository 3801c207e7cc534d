"""The network, its arithmetic, and the predictor."""
