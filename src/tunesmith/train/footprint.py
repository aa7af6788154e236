"""What a training will take in memory, found before it takes any.

What a row keeps for its backward pass is counted in forward passes of the longest rows; the rest is reckoned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from tunesmith.core import components
from tunesmith.core.chosen import Component
from tunesmith.models.quantized import in_passing
from tunesmith.train.batches import counted

if TYPE_CHECKING:
    from torch import Tensor

    from tunesmith.tasks.task import Example
    from tunesmith.train.stepper import Stepper

# What a step takes in all for each byte kept: gradients of what is kept are made as it is given back. About
# what benchmarks/plan.py prints as `beside what is kept`: 0.7 for an encoder, 0.9 to 1.0 for decoders. An
# encoder with LoRA took 1.3, a small encoder-decoder 1.8.
_BESIDE = 1.1
# The part of the longest row that another is at most, for what both keep to be told from what each does.
_SHORT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Bytes beyond those in use: `state` of gradients and optimizer, `row` of a row of `length` tokens.

    Floats that are made of a quantized base in passing are in `state`. `again` is what is computed a second
    time at once, for each row, when blocks are not kept. `shared` tokens, with which all rows begin, are
    computed once in a micro-batch; `row` is without them.
    """

    state: int
    row: int
    length: int
    again: int = 0
    shared: int = 0

    def need(self, tokens: int) -> int:
        """Bytes of a step whose micro-batches have at most `tokens` tokens."""
        rows = max(1, (tokens - self.shared) / counted(self.length, self.shared))
        beginning = self.shared / (self.length - self.shared)  # in rows, of which each is without it
        return self.state + round(_BESIDE * (rows + beginning) * (self.row + self.again))


def measure(stepper: Stepper) -> Footprint:
    """The footprint of a training. It learns nothing, and no later step depends on it."""
    ordered = np.argsort(stepper.lengths, kind="stable").tolist()
    stepper.module.train()
    return Footprint(
        state=round(stepper.learned * (1 + _state_per_byte(stepper.settings.optimizer)))
        + in_passing(stepper.module),
        row=_of_a_row(stepper, ordered),
        length=int(stepper.lengths.max()),
        shared=stepper.shared,
    )


def _of_a_row(stepper: Stepper, ordered: list[int]) -> int:
    """Bytes that the longest row keeps, without weights and copies of them, which every row has too.

    What the shortest keeps beside them is added in proportion to its length, if it is short: the weights of
    attention, which only rows up to a bound keep, would count for too much in a longer one. `ordered`: the
    numbers of all examples by length.
    """
    shortest, longest = ordered[0], ordered[-1]
    least, length = (int(stepper.lengths[index]) for index in (shortest, longest))
    whole = _kept_by(stepper, longest)
    if length < _SHORT * least:
        # Several together may keep less of attention than one alone. A training of one row has it thrice.
        two, three = (ordered[max(0, len(ordered) - place)] for place in (2, 3))
        both = _kept_by(stepper, longest, two)
        return max(both - whole, _kept_by(stepper, longest, two, three) - both)
    return (whole - _kept_by(stepper, shortest)) * (length - stepper.shared) // (length - least)


def _kept_by(stepper: Stepper, *indices: int) -> int:
    rows = [_unlike(stepper.examples[index], stepper.shared, place) for place, index in enumerate(indices)]
    return kept(lambda: stepper.objective(rows))


def _unlike(example: Example, shared: int, place: int) -> Example:
    """An example that has no more in common with those at other places than what all rows begin with."""
    ids = example.ids.copy()
    for start in (0, example.second or 0):
        ids[start + shared : start + shared + 1] = place
    return replace(example, ids=ids)


def kept(compute: Callable[[], Tensor]) -> int:
    """Bytes that `compute` keeps for its backward pass, weights among them."""
    sizes: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        # Held to the end: what is freed could lend its place to another.
        result = compute()
    del result
    return sum(sizes.values())


def _state_per_byte(optimizer: Component) -> float:
    """Bytes an optimizer remembers for each byte of a weight: asked of it with a small matrix."""
    weight = nn.Parameter(torch.zeros(256, 256))
    made = partial(components.optimizers.get(optimizer.name), **optimizer.settings)([weight])
    weight.grad = torch.zeros_like(weight)
    made.step()
    state = [value for value in made.state[weight].values() if isinstance(value, torch.Tensor)]
    return sum(value.nbytes for value in state) / weight.nbytes
