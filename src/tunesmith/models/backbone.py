"""A model as training sees it: rows of token ids in, hidden states of all their tokens out, no padding.

`Generic` computes through the model's own classes and so serves every architecture; `train.backbones` holds
the ones that are written for speed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tunesmith.models import device, own
from tunesmith.models.classifier import pad

Rows = Sequence[NDArray[np.integer[Any]]]


@dataclass(frozen=True, slots=True)
class Head:
    """From hidden states [rows, hidden] to logits [rows, vocab], and the tensors that this depends on."""

    project: Callable[[Tensor], Tensor]
    parameters: tuple[Tensor, ...] = ()


class Backbone(Protocol):
    """Hidden states of rows that lie one after another; no row sees another."""

    @property
    def head(self) -> Head:
        """The output head of a language model.

        Raises:
            TypeError: when the model has none.
        """
        ...

    def hidden(self, rows: Rows, at: Tensor | None = None) -> Tensor:
        """The last hidden states [tokens, hidden] of all tokens of the rows in their order.

        With `at` [n], places in that order, only those of these tokens: [n, hidden].
        """
        ...

    def computing(self) -> AbstractContextManager[object]:
        """What is computed inside the block is computed in the numbers that the backbone uses."""
        ...

    def renew(self) -> None:
        """Take over the values of the parameters: they were changed."""
        ...

    @property
    def can_recompute(self) -> bool:
        """Whether blocks can be computed again."""
        ...

    @property
    def pads(self) -> bool:
        """Whether rows are made as long as the longest of those that are computed together."""
        ...

    @property
    def shares_from(self) -> int | None:
        """From how many tokens on a beginning that all rows share is computed once; None is never."""
        ...

    def recompute(self) -> None:
        """From now on compute blocks again in the backward pass, and keep none (Chen et al. 2016)."""
        ...

    def remember(self, tokens: int, at_most: int) -> int:
        """From now on remember no more than `at_most` bytes of what cannot change; no result depends on it.

        Returns how many bytes it will come to remember, beyond those it does, of rows of so many `tokens`.
        """
        ...


class Generic:
    """Any model of `transformers` or of the user's own, computed by its own code in padded batches.

    `speaks`: whether it is a causal language model, and not what only gives hidden states.
    `precision`: `float32`, or `bf16` by autocasting, where weights stay float32.
    """

    pads = True
    shares_from: int | None = None

    def __init__(self, model: nn.Module, *, speaks: bool, precision: str = "float32") -> None:
        self._model = model
        self._speaks = speaks
        self._precision = precision
        self._gives_logits = speaks and _makes_logits_itself(model)

    @property
    def head(self) -> Head:
        """The output head, or nothing where the hidden states are logits already."""
        if self._gives_logits:
            return Head(lambda logits: logits)
        found = self._model.get_output_embeddings()  # type: ignore[operator]
        if found is None:
            raise TypeError(f"{type(self._model).__name__} has no output head")
        return Head(found, tuple(found.parameters()))

    def hidden(self, rows: Rows, at: Tensor | None = None) -> Tensor:
        """The last hidden states, or the logits of a model that makes them in its own way."""
        ids, mask = pad(rows)
        places = device.tensor(
            np.concatenate([i * ids.shape[1] + np.arange(len(r)) for i, r in enumerate(rows)])
        )
        states = self._states(ids, mask).flatten(0, 1)[places]
        return states if at is None else states[at]

    def _states(self, ids: Tensor, mask: Tensor) -> Tensor:
        if not self._speaks:
            states: Tensor = self._model(input_ids=ids, attention_mask=mask).last_hidden_state
        # Padding stands on the right, where causal attention does not look: no mask is needed.
        elif self._gives_logits:
            states = self._model(input_ids=ids, use_cache=False).logits
        else:
            inner: Any = self._model.base_model
            states = inner(input_ids=ids, use_cache=False).last_hidden_state
        return states

    def computing(self) -> AbstractContextManager[object]:
        """Autocasting, or nothing."""
        kind = next(self._model.parameters()).device.type
        return torch.autocast(kind, torch.bfloat16) if self._precision == "bf16" else nullcontext()

    def renew(self) -> None:
        """Nothing is to be done: the parameters are what it computes with."""

    @property
    def can_recompute(self) -> bool:
        """Whether the model's own code can."""
        return bool(getattr(self._model, "supports_gradient_checkpointing", False))

    def recompute(self) -> None:
        """Let the model's own code compute its blocks again."""
        model: Any = self._model
        model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})

    def remember(self, tokens: int, at_most: int) -> int:
        """Nothing."""
        return 0


def _makes_logits_itself(model: nn.Module) -> bool:
    """Whether logits are more than what the output head gives.

    Some families scale or cap them (Granite, Gemma 2, Cohere); a model of the user's own may do anything.
    """
    if own.code_of(model) is not None:
        return True
    names = ("logits_scaling", "final_logit_softcapping", "logit_scale")
    return any(getattr(model.config, name, None) for name in names)
