"""Parts of the benchmark of training: its models and rows, the contestants, the ceiling, the race."""
