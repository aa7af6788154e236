"""Tasks: what a row must hold, how it becomes token ids, what is learned from it, and what is measured.

One file per task. Signatures are read to validate recipes, so tensors are imported inside the functions.
"""
