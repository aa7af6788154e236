"""How good a model is: metrics, baselines beside it, a report a person reads, and the gate."""
