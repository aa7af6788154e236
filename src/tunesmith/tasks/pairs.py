"""Two answers to one prompt, as token ids and as what a model thinks of them.

The example of a pair holds both conversations one after the other, the better first; what is learned of each
is its answer. It knows token ids and log-probabilities, and nothing of templates or losses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tunesmith.tasks.task import Example

if TYPE_CHECKING:
    from torch import Tensor

    from tunesmith.models.backbone import Backbone


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """What a model and the one it started as say of both answers to each of n prompts.

    `chosen`, `rejected` and the two of the reference are log-probabilities [n] of whole answers, in nats;
    `chosen_tokens` and `rejected_tokens` [n] are the lengths of the answers.
    """

    chosen: Tensor
    rejected: Tensor
    reference_chosen: Tensor
    reference_rejected: Tensor
    chosen_tokens: Tensor
    rejected_tokens: Tensor


def joined(chosen: Example, rejected: Example) -> Example:
    """The example of a pair."""
    return replace(
        chosen,
        ids=np.concatenate([chosen.ids, rejected.ids]),
        target=np.concatenate([np.asarray(chosen.target), np.asarray(rejected.target)]),
        second=len(chosen.ids),
    )


def halves(example: Example) -> tuple[Example, Example]:
    """Both conversations of a pair, each as an example of its own."""
    learned, at = np.asarray(example.target), example.second
    first = replace(example, ids=example.ids[:at], target=learned[:at], second=None)
    return first, replace(example, ids=example.ids[at:], target=learned[at:], second=None)


def compare(backbone: Backbone, examples: Sequence[Example]) -> Pairs:
    """What the model says of the pairs; both answers to all prompts are computed together."""
    import torch

    sides = [half for example in examples for half in halves(example)]
    sums = log_likelihoods(backbone, sides).view(-1, 2)
    tokens = torch.tensor([side.targets for side in sides], dtype=torch.float32).view(-1, 2)
    reference = torch.tensor([example.reference or (0.0, 0.0) for example in examples])
    return Pairs(
        chosen=sums[:, 0],
        rejected=sums[:, 1],
        reference_chosen=reference[:, 0],
        reference_rejected=reference[:, 1],
        chosen_tokens=tokens[:, 0],
        rejected_tokens=tokens[:, 1],
    )


def log_likelihoods(backbone: Backbone, examples: Sequence[Example]) -> Tensor:
    """The log-probability [examples] of all that is learned of each, in nats; 0 where that is nothing."""
    import torch

    from tunesmith.tasks.language import predicted
    from tunesmith.tasks.token_losses import log_probabilities

    said = [(i, example) for i, example in enumerate(examples) if example.targets]
    sums = torch.zeros(len(examples))
    if not said:
        return sums
    before, target = predicted([example for _, example in said])
    hidden = backbone.hidden([example.ids for _, example in said], before)
    numbers = torch.tensor([i for i, _ in said])
    of_token = numbers.repeat_interleave(torch.tensor([example.targets for _, example in said]))
    return sums.index_add(0, of_token, log_probabilities(backbone.head, hidden, target))
