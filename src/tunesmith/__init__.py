"""Tunesmith: language models on your own data, from raw rows to a served model, in one recipe."""

__version__ = "0.1.0"
