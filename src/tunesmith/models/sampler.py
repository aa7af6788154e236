"""How the next token is chosen from one row of logits. Knows nothing of batches, models or text.

Each sequence draws from a generator of its own, seeded by its own seed and kept on the CPU, so that what it
samples depends neither on its neighbours in the batch nor on the device.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import torch
from torch import Tensor

from tunesmith.models.likelihood import likelihoods
from tunesmith.models.sampling import Sampling
from tunesmith.models.token import Likelihood

# Below this, float32 makes nothing of a temperature.
_COLDEST = 1e-37


class Choice(NamedTuple):
    """A chosen token; `ends` when it completed what the grammar allows."""

    id: int
    likelihood: Likelihood | None
    ends: bool


class Sampler:
    """Chooses the tokens of one sequence, one after another."""

    def __init__(self, sampling: Sampling) -> None:
        self.sampling = sampling
        self._generator = seeded(sampling.seed)
        self._written: Counter[int] = Counter()
        self._grammar = sampling.grammar() if sampling.grammar else None

    def next(self, logits: Tensor) -> Choice:
        """The next token, from its logits: [vocabulary]."""
        sampling = self.sampling
        token = choose(self._adjust(logits), sampling, self._generator)
        asked = sampling.logprobs is not None
        likelihood = likelihoods(logits[None], [token], sampling.logprobs or 0)[0] if asked else None
        if sampling.presence_penalty or sampling.frequency_penalty:
            self._written[token] += 1
        return Choice(token, likelihood, self._grammar is not None and self._grammar.take(token))

    def _adjust(self, logits: Tensor) -> Tensor:
        bias = dict(self.sampling.bias)
        for token, count in self._written.items():
            taken = self.sampling.frequency_penalty * count + self.sampling.presence_penalty
            bias[token] = bias.get(token, 0.0) - taken
        if bias:
            logits = logits.float()
            ids = torch.tensor([*bias], device=logits.device)
            logits = logits.index_add(-1, ids, torch.tensor([*bias.values()], device=logits.device))
        return self._grammar.restrict(logits) if self._grammar else logits


def seeded(seed: int | None) -> torch.Generator:
    """The source of randomness of one sequence."""
    generator = torch.Generator()
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    return generator


def choose(logits: Tensor, sampling: Sampling, generator: torch.Generator) -> int:
    """The next token's id. `logits`: [vocabulary]."""
    if sampling.temperature == 0:
        # On processors numpy takes a twentieth of torch's time.
        return int(logits.float().numpy().argmax() if logits.device.type == "cpu" else logits.argmax())
    return _draw(_sharpen(logits, sampling.temperature), sampling.top_p, generator)


def _sharpen(logits: Tensor, temperature: float) -> Tensor:
    # The maximum is taken off first: dividing by a tiny temperature then overflows to -inf only.
    logits = logits.float().cpu()
    return (logits - logits.max()) / max(temperature, _COLDEST)


def _draw(logits: Tensor, top_p: float, generator: torch.Generator) -> int:
    probabilities = logits.softmax(-1)
    if top_p >= 1:
        return pick(probabilities, generator)
    kept, ids = nucleus(probabilities, top_p)
    return int(ids[pick(kept, generator)])


def pick(weights: Tensor, generator: torch.Generator) -> int:
    """An index, each as probable as its weight is large. `weights`: [n], of any positive sum.

    By inversion: one random number for a choice, where `torch.multinomial` draws one for every weight, which
    took longer than the model's step for many sequences of a large vocabulary. Devroye 1986, "Non-Uniform
    Random Variate Generation", III.2.

    Raises:
        ValueError: when the weights have no sum.
    """
    sums = weights.cumsum(-1, dtype=torch.float64)
    if not sums[-1] > 0:
        raise ValueError("the weights to draw from have no sum")
    at = torch.rand((), generator=generator, dtype=torch.float64) * sums[-1]
    # The first whose sum is larger: one without weight never is.
    return min(int(torch.searchsorted(sums, at, right=True)), len(weights) - 1)


def nucleus(probabilities: Tensor, top_p: float) -> tuple[Tensor, Tensor]:
    """The most probable tokens up to a sum of `top_p`: probabilities and ids, most probable first.

    At least one token is kept. Holtzman et al. 2020, "The curious case of neural text degeneration".
    """
    ordered, ids = probabilities.sort(descending=True, stable=True)
    before = ordered.cumsum(-1) - ordered
    count = max(1, int((before < top_p).sum()))
    return ordered[:count], ids[:count]
