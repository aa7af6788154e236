"""What every other part stands on: errors, registry, recipe, events, durable files, workspace, text.

Nothing here imports torch, and nothing here knows what a model or a training step is.
"""
