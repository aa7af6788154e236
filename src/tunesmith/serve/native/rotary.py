"""How queries and keys turn with their position: frequencies out of a configuration, angles out of those."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tunesmith.serve.native.plan import Plan

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotary:
    """`frequencies` of pairs of dimensions, [D / 2] numbers of float32, none where nothing turns.

    Cosines and sines are multiplied by `factor`.
    """

    frequencies: tuple[float, ...] = ()
    factor: float = 1.0


def rotary(plan: Plan, config: Any) -> Rotary:
    """What a configuration says of a model that is covered, see `plan.uncovered`."""
    if not plan.rotary:
        return Rotary()
    rope = config.rope_parameters
    if rope.get("rope_type", "default") == "default":
        exponents = torch.arange(0, plan.head, 2, dtype=torch.int64).float() / plan.head
        inverse, factor = 1.0 / (rope["rope_theta"] ** exponents), 1.0
    else:
        from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

        inverse, factor = ROPE_INIT_FUNCTIONS[rope["rope_type"]](config, torch.device("cpu"))
    return Rotary(frequencies=tuple(inverse.float().tolist()), factor=float(factor))


def angles(turning: Rotary, head: int, context: int) -> tuple[Floats, Floats]:
    """Cosines and sines of all positions, [positions, D / 2]; where nothing turns, those of 0."""
    if not turning.frequencies:
        shape = (context, head // 2)
        return np.ones(shape, np.float32), np.zeros(shape, np.float32)
    turns = torch.arange(context).float()[:, None] * torch.tensor(turning.frequencies)[None]
    return (turns.cos() * turning.factor).numpy(), (turns.sin() * turning.factor).numpy()
