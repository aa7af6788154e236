"""Attention: what a model looks at in a text, found in a process of its own, which may die alone."""
