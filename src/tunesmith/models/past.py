"""What a decoder keeps of the tokens it has read: keys and values, or only the tokens themselves."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from tunesmith.models.batch_cache import BatchCache, require_plain_past

Newcomer = TypeVar("Newcomer")


class Past(Protocol[Newcomer]):
    """The past of a batch of sequences that come and go; not thread-safe."""

    def prefill(self, ids: Sequence[int]) -> tuple[Tensor, Newcomer]:
        """Read a sequence alone: logits [vocabulary] of what follows, and its past."""
        ...

    def join(self, newcomer: Newcomer) -> None:
        """Add a sequence that was read alone, as the last row."""
        ...

    def forward(self, tokens: Sequence[int]) -> Tensor:
        """Read one more token of each row; returns logits [rows, vocabulary]."""
        ...

    def keep(self, rows: Sequence[int]) -> None:
        """Keep these rows, in this order."""
        ...


class Cached:
    """Keys and values of a transformers model: each token is computed once.

    Raises:
        ModelError: S23 when the model's past is not keys and values.
    """

    def __init__(self, module: PreTrainedModel) -> None:
        require_plain_past(module.config)
        self._module = module
        self._batch = BatchCache()
        accepted = inspect.signature(module.forward).parameters
        self._takes_positions = "position_ids" in accepted
        self._options = {"logits_to_keep": 1} if "logits_to_keep" in accepted else {}

    def prefill(self, ids: Sequence[int]) -> tuple[Tensor, DynamicCache]:
        """See `Past.prefill`."""
        cache = DynamicCache()
        input_ids = torch.tensor([list(ids)], device=self._module.device)
        output = self._module(
            input_ids=input_ids,
            attention_mask=torch.ones_like(input_ids),
            past_key_values=cache,
            use_cache=True,
            **self._options,
        )
        return output.logits[0, -1], cache

    def join(self, newcomer: DynamicCache) -> None:
        """See `Past.join`."""
        self._batch.join(newcomer)

    def forward(self, tokens: Sequence[int]) -> Tensor:
        """See `Past.forward`."""
        device = self._module.device
        options: dict[str, Any] = {}
        if self._takes_positions:
            options["position_ids"] = torch.tensor(self._batch.lengths, device=device)[:, None]
        output = self._module(
            input_ids=torch.tensor(tokens, device=device)[:, None],
            attention_mask=self._batch.mask(1, device),
            past_key_values=self._batch.cache,
            use_cache=True,
            **options,
        )
        self._batch.grow()
        logits: Tensor = output.logits[:, -1]
        return logits

    def keep(self, rows: Sequence[int]) -> None:
        """See `Past.keep`."""
        self._batch.keep(rows)


class Recomputed:
    """The tokens: a model that keeps nothing reads each sequence anew for every token.

    Sequences are padded on the right, which a causal model does not see.
    """

    def __init__(self, module: PreTrainedModel) -> None:
        self._module = module
        self._rows: list[list[int]] = []

    def prefill(self, ids: Sequence[int]) -> tuple[Tensor, list[int]]:
        """See `Past.prefill`."""
        return self._read([list(ids)])[0], list(ids)

    def join(self, newcomer: list[int]) -> None:
        """See `Past.join`."""
        self._rows.append(newcomer)

    def forward(self, tokens: Sequence[int]) -> Tensor:
        """See `Past.forward`."""
        self._rows = [[*row, token] for row, token in zip(self._rows, tokens, strict=True)]
        return self._read(self._rows)

    def keep(self, rows: Sequence[int]) -> None:
        """See `Past.keep`."""
        self._rows = [self._rows[row] for row in rows]

    def _read(self, rows: Sequence[list[int]]) -> Tensor:
        width = max(map(len, rows))
        ids = torch.tensor([[*row, *[0] * (width - len(row))] for row in rows], device=self._module.device)
        ends = torch.tensor([len(row) - 1 for row in rows], device=self._module.device)
        logits: Tensor = self._module(input_ids=ids).logits
        return logits[torch.arange(len(rows), device=logits.device), ends]


def of(module: PreTrainedModel) -> Past[Any]:
    """The past that suits a model, with no sequences in it.

    Raises:
        ModelError: S23 when it keeps something else than keys and values.
    """
    keeps_something = "past_key_values" in inspect.signature(module.forward).parameters
    return Cached(module) if keeps_something or module._is_stateful else Recomputed(module)
