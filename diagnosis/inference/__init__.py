"""From a queued prediction to its result: dispatch, scheduling, the worker, reconciliation."""
