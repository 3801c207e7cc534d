"""What `benchmarks.throughput` compares: our installation, the Flask peer, the bare pass."""
