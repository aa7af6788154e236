"""Which weights of a training are kept, and when it is in vain to go on, by scores on the validation part."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from tunesmith.core import durable
from tunesmith.train.parallel import ALONE, Group, cuts

if TYPE_CHECKING:
    from torch import nn

    from tunesmith.core.recipe import EarlyStopping


class Selection:
    """The best score so far and how many evaluations passed since. Larger is better.

    All processes of a group see the same; the first one writes. What it remembers is part of a checkpoint.
    The best weights are in a folder of their own: one that was written after the checkpoint from which a
    training continues is written again with the same bytes.
    """

    def __init__(
        self, folder: Path, *, keeps: bool, early: EarlyStopping | None, group: Group = ALONE
    ) -> None:
        self._folder = folder / "best"
        self._keeps = keeps
        self._early = early
        self._group = group
        self._best = -math.inf
        # What has to be beaten by `min_delta`: small gains add up.
        self._mark = -math.inf
        self._step = 0
        self._waited = 0

    def see(self, score: float, step: int, parameters: Mapping[str, nn.Parameter]) -> None:
        """Take in an evaluation of what the parameters are after `step`."""
        least = self._early.min_delta if self._early else 0.0
        self._waited += 1
        if score > self._mark + least:
            self._mark, self._waited = score, 0
        if not score > self._best:
            return
        # A gain of less than `min_delta` is kept too, but it does not count against being in vain.
        self._best, self._step = score, step
        if self._keeps:
            self._group.make(
                self._folder, lambda made: cuts.write(made, "weights", parameters, self._group.cuts)
            )

    @property
    def is_in_vain(self) -> bool:
        """Whether the last `patience` evaluations brought nothing."""
        return self._early is not None and self._waited >= self._early.patience

    @torch.no_grad()
    def put(self, parameters: Mapping[str, nn.Parameter]) -> int | None:
        """Set the parameters to the best there were, and say of which step; None when the last are kept."""
        if not self._keeps or self._best == -math.inf:
            return None
        durable.verify(self._folder)
        weights = cuts.read(self._folder, "weights", self._group.cuts)
        for name, parameter in parameters.items():
            parameter.copy_(weights[name])
        return self._step

    def state(self) -> dict[str, Any]:
        """What is remembered, as JSON."""
        best, mark = (score if math.isfinite(score) else None for score in (self._best, self._mark))
        return {"best": best, "mark": mark, "step": self._step, "waited": self._waited}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Remember what `state` gave."""
        best, mark = state.get("best"), state.get("mark")
        self._best = -math.inf if best is None else best
        self._mark = -math.inf if mark is None else mark
        self._step = state.get("step", 0)
        self._waited = state.get("waited", 0)
