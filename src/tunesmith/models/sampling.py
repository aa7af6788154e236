"""How the next token is chosen from one row of logits. Knows nothing of batches, models or text.

Each sequence draws from a generator of its own, seeded by its own seed and kept on the CPU, so that what it
samples depends neither on its neighbours in the batch nor on the device.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How one sequence is continued, and when it ends.

    `temperature` 0 is greedy. `top_p` keeps the smallest set of tokens whose probabilities sum to it. `seed`
    None draws a fresh one. A token of `stop_ids` ends the sequence. With `logprobs` each token carries the
    natural logarithm of its probability under the model, before temperature and nucleus.
    """

    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop_ids: tuple[int, ...] = ()
    logprobs: bool = False

    def generator(self) -> torch.Generator:
        """The source of randomness of one sequence."""
        generator = torch.Generator()
        if self.seed is None:
            generator.seed()
        else:
            generator.manual_seed(self.seed)
        return generator


def choose(logits: Tensor, sampling: Sampling, generator: torch.Generator) -> tuple[int, float | None]:
    """The next token's id and, when asked for, its log-probability. `logits`: [vocabulary]."""
    token = (
        int(logits.argmax())
        if sampling.temperature == 0
        else _draw(_sharpen(logits, sampling.temperature), sampling.top_p, generator)
    )
    logprob = float(logits.float().log_softmax(-1)[token]) if sampling.logprobs else None
    return token, logprob


def _sharpen(logits: Tensor, temperature: float) -> Tensor:
    # The maximum is taken off first: dividing by a tiny temperature then overflows to -inf only.
    logits = logits.float().cpu()
    return (logits - logits.max()) / temperature


def _draw(logits: Tensor, top_p: float, generator: torch.Generator) -> int:
    probabilities = logits.softmax(-1)
    if top_p >= 1:
        return int(torch.multinomial(probabilities, 1, generator=generator))
    kept, ids = nucleus(probabilities, top_p)
    return int(ids[torch.multinomial(kept, 1, generator=generator)])


def nucleus(probabilities: Tensor, top_p: float) -> tuple[Tensor, Tensor]:
    """The most probable tokens up to a sum of `top_p`: probabilities and ids, most probable first.

    At least one token is kept. Holtzman et al. 2020, "The curious case of neural text degeneration".
    """
    ordered, ids = probabilities.sort(descending=True, stable=True)
    before = ordered.cumsum(-1) - ordered
    count = max(1, int((before < top_p).sum()))
    return ordered[:count], ids[:count]
