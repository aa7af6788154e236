"""How one sequence is continued, in words: what a request wishes for. How it is done: `models.sampler`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor


class Grammar(Protocol):
    """What one sequence may say: told of every token, asked before the next."""

    def restrict(self, logits: Tensor) -> Tensor:
        """Logits, [vocabulary], with -inf for what may not come now. The given ones stay as they are."""

    def take(self, token: int) -> bool:
        """Note a token; whether nothing may follow it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How one sequence is continued, and when it ends.

    `temperature` 0 is greedy. `top_p` keeps the smallest set of tokens whose probabilities sum to it. `seed`
    None draws a fresh one. A token of `stop_ids` ends the sequence. With `logprobs` each token carries the
    natural logarithm of its probability under the model, before anything below and temperature and nucleus,
    and those of so many likelier tokens.

    `bias` is added to the logits of ids. Of the logit of a token that was written `c` times,
    `frequency_penalty` times `c` and once `presence_penalty` are taken off. `grammar` makes one that holds
    for one sequence.
    """

    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop_ids: tuple[int, ...] = ()
    logprobs: int | None = None
    bias: tuple[tuple[int, float], ...] = ()
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    grammar: Callable[[], Grammar] | None = None
