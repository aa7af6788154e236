"""Classification that learns from mixtures: what the encoder says of two rows, and both of their labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from tunesmith.tasks.classify import Classify, wanted
from tunesmith.tasks.task import of_targets

if TYPE_CHECKING:
    from torch import Tensor

    from tunesmith.models.backbone import Backbone
    from tunesmith.tasks.task import Example, Learner, Loss


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixed:
    """Mixup (Zhang et al. 2018) of the vectors of sentences (Guo et al. 2019), in training only.

    Each row of a batch is mixed with another one. Its share is drawn from Beta(`alpha`, `alpha`), and the
    loss is that of its own label by its share and that of the other's by the rest.
    """

    task: Classify
    learner: Learner
    alpha: float

    def objective(
        self, learner: Learner, backbone: Backbone, examples: Sequence[Example], loss: Loss
    ) -> Tensor:
        """The loss of rows that are not mixed."""
        return self.task.objective(learner, backbone, examples, loss)

    def vectors(self, backbone: Backbone, examples: Sequence[Example]) -> Tensor:
        """The logits [rows, labels]: the head is linear, so mixing them is mixing what it is given."""
        return self.task.logits(self.learner, backbone, examples)

    def compare(self, vectors: Tensor, examples: Sequence[Example], loss: Loss) -> Tensor:
        """The weighted loss summed over the rows of a batch, each mixed with another."""
        rows = len(examples)
        # Everybody's neighbour in a random order, so that nobody is mixed with itself, but one who is alone.
        order = torch.randperm(rows, device="cpu")
        other = torch.empty(rows, dtype=torch.long, device="cpu")
        other[order] = order.roll(1)
        share = _shares(rows, self.alpha).to(vectors.device)
        own, others = wanted(examples), wanted([examples[int(i)] for i in other])
        mixed = share[:, None] * vectors + (1 - share)[:, None] * vectors[other.to(vectors.device)]
        losses = share * loss(mixed, *own) + (1 - share) * loss(mixed, *others)
        return (losses * of_targets(examples)).sum()


def _shares(rows: int, alpha: float) -> Tensor:
    """Draws from Beta(alpha, alpha) [rows], the same on every device."""
    both = torch.tensor(alpha, device="cpu")
    return torch.distributions.Beta(both, both).sample((rows,))
