"""Two answers to one prompt, as token ids and as what a model thinks of them.

The example of a pair holds both conversations one after the other, the better first; what is learned of each
is its answer. It knows token ids and log-probabilities, and nothing of templates or losses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tunesmith.tasks.task import Example

if TYPE_CHECKING:
    from torch import Tensor

    from tunesmith.models.backbone import Backbone


_MARK = "uses_drift"
Loss = TypeVar("Loss", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """What a model and the one it started as say of both answers to each of n prompts.

    `chosen`, `rejected` and the two of the reference are log-probabilities [n] of whole answers, in nats;
    `chosen_tokens` and `rejected_tokens` [n] are the lengths of the answers, 0 for one that is missing.
    `drift` is how much likelier than the reference the model makes answers that belong to other prompts, on
    average over all pairs of a step, in nats, without gradient; negative where they became less likely, and
    0 unless the loss is marked by `uses_drift`.
    """

    chosen: Tensor
    rejected: Tensor
    reference_chosen: Tensor
    reference_rejected: Tensor
    chosen_tokens: Tensor
    rejected_tokens: Tensor
    drift: Tensor


def uses_drift(loss: Loss) -> Loss:
    """Mark a loss that looks at the drift, which costs one more pass over every row."""
    setattr(loss, _MARK, True)
    return loss


def asks_drift(loss: Callable[..., Any]) -> bool:
    """Whether a loss is marked by `uses_drift`."""
    return getattr(loss, _MARK, False)


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


def unrelated(example: Example, context: int) -> Example:
    """The prompt of a pair with an answer of the `other` one, cut to the context."""
    if example.other is None:
        raise ValueError("the example has no other one")
    prompt, answer = (next(h for h in halves(one) if len(h.ids)) for one in (example, example.other))
    start, after = (int(np.argmax(np.asarray(half.target))) for half in (prompt, answer))
    ids = np.concatenate([prompt.ids[:start], answer.ids[after:]])[:context]
    learned = np.concatenate([np.zeros(start, dtype=np.bool_), np.asarray(answer.target)[after:]])
    return replace(prompt, ids=ids, target=learned[:context], other=None)


def compare(backbone: Backbone, examples: Sequence[Example]) -> Pairs:
    """What the model says of the pairs; both answers to all prompts are computed together."""
    import torch

    sides = [half for example in examples for half in halves(example)]
    sums = log_likelihoods(backbone, sides).view(-1, 2)
    tokens = torch.tensor([side.targets for side in sides], dtype=torch.float32).view(-1, 2)
    reference = torch.tensor([example.reference[:2] or (0.0, 0.0) for example in examples])
    return Pairs(
        chosen=sums[:, 0],
        rejected=sums[:, 1],
        reference_chosen=reference[:, 0],
        reference_rejected=reference[:, 1],
        chosen_tokens=tokens[:, 0],
        rejected_tokens=tokens[:, 1],
        drift=torch.tensor(examples[0].drift),
    )


def drift(backbone: Backbone, examples: Sequence[Example], context: int) -> Tensor:
    """How much likelier than the reference the model makes answers to `other` prompts, [examples] in nats."""
    import torch

    now = log_likelihoods(backbone, [unrelated(example, context) for example in examples])
    return now - torch.tensor([example.reference[2] for example in examples])


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
