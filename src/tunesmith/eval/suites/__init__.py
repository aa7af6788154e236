"""Benchmarks from local files: what is asked, what a model answers, and whether it is right."""
