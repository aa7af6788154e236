"""Backbones: how the hidden states of a model in training are computed."""

from __future__ import annotations

from tunesmith.models.backbone import Backbone, Generic
from tunesmith.tasks.task import Learner


def choose(learner: Learner, precision: str) -> Backbone:
    """The backbone of a learner, computing in `precision` (`float32` or `bf16`)."""
    return Generic(learner.backbone, speaks=learner.card.kind == "language", precision=precision)
