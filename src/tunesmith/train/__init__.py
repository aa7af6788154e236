"""Training: one loop for every task, as a generator of events."""
