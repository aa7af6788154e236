"""A new token of a sequence, how likely it was, why it is the last; and what can be continued. No tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tunesmith.core.errors import UsageError

Finish = Literal["stop", "length"]
# Why a token is the last: it is a stop token, there is no more room, or the grammar allows nothing after it.
TokenFinish = Literal["stop", "length", "complete"]


@dataclass(frozen=True, slots=True)
class Likelihood:
    """What the model thought of one token: the natural logarithm of its probability, and likelier ones.

    `top` are the most probable tokens of that place with theirs, most probable first.
    """

    logprob: float
    top: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One new token of the sequence `handle`; `finish` says why it is the last one, if it is."""

    handle: int
    id: int
    likelihood: Likelihood | None
    finish: TokenFinish | None


def check_ids(ids: Sequence[int], *, context: int | None, vocabulary: int) -> None:
    """Whether a model can continue `ids` by at least one token.

    Raises:
        UsageError: S02 when they leave no room in the context, S21 for an id outside the vocabulary, S22 when
            there are none.
    """
    if not ids:
        raise UsageError("S22")
    if context is not None and len(ids) >= context:
        raise UsageError("S02", tokens=len(ids), new=1, context=context)
    outside = next((i for i in ids if not 0 <= i < vocabulary), None)
    if outside is not None:
        raise UsageError("S21", id=outside, vocabulary=vocabulary)
