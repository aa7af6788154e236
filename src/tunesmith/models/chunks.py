"""How much of which prompts a step reads, so that who already gets tokens waits only a moment for the next.

Sizes depend on the model and never on a clock: the same prompts are read in the same chunks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

_OPERATIONS = 4e10  # about a third of a second on two cores
_SMALLEST, _LARGEST = 32, 512
_ON_AN_ACCELERATOR = 2048


def size(module: nn.Module) -> int:
    """How many tokens of prompts one step reads: a power of two."""
    model: Any = module
    if model.device.type != "cpu":
        return _ON_AN_ACCELERATOR
    fitting = _OPERATIONS / (2 * max(1, sum(p.numel() for p in module.parameters())))
    return min(_LARGEST, max(_SMALLEST, 1 << int(fitting).bit_length() >> 1))


def shares(unread: Sequence[int], chunk: int) -> list[int]:
    """How many of each prompt's tokens to read, of `chunk` in all; prompts are in the order they came.

    Half of a chunk is the first one's, so that it ends some time whatever else comes. The rest goes to the
    prompts with the least left, which are over soonest.
    """
    counts = [0] * len(unread)
    if unread:
        counts[0] = min(unread[0], (chunk + 1) // 2)
    for i in sorted(range(len(unread)), key=lambda i: (unread[i], i)):
        counts[i] += min(unread[i] - counts[i], chunk - sum(counts))
    return counts
