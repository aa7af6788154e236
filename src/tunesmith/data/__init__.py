"""Rows: read from files, mapped to the shape a task needs, cleaned, divided, and accounted for one by one.

Stages in the order of their work: sources -> reading -> mapping -> clean -> split -> prepare. Nothing here
knows what a model, a token or a task is.
"""
