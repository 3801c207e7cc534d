"""From a queued prediction to its result: dispatch, scheduling, leases, the worker's run."""
