"""Backbones: how the hidden states of a model in training are computed, fast where the model is covered."""

from __future__ import annotations

from tunesmith.train.backbones.choice import Choice, choose, frozen, own

__all__ = ["Choice", "choose", "frozen", "own"]
