"""Films and AI results: from upload to the network's result and its map."""
