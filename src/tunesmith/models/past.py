"""What a decoder keeps of the tokens it has read: keys and values, or only the tokens themselves."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from tunesmith.models.bank import Bank, Given
from tunesmith.models.batch_cache import BatchCache, require_plain_past
from tunesmith.models.llama_past import LlamaPast, covers


class Past(Protocol):
    """The past of sequences that come and go, each known by a number; not thread-safe.

    What fails in a call leaves the past as it was before the call, unless it says otherwise.
    """

    def begin(self, sequence: int, ids: Sequence[int], adapter: str | None = None) -> int:
        """Know a new sequence that begins with `ids`; how many of them need not be read, never all.

        Raises:
            NotFoundError: S61 when there is no adapter of this name.
        """
        ...

    def read(self, reads: Sequence[tuple[int, Sequence[int]]]) -> Tensor:
        """Read more of prompts: logits [prompts, vocabulary] of what follows each."""
        ...

    def join(self, sequence: int) -> None:
        """Its prompt is read: from now on, `forward` continues it."""
        ...

    def forward(self, tokens: Mapping[int, int]) -> Tensor:
        """Read one more token of each sequence that joined: logits [sequences, vocabulary], in this order."""
        ...

    def drop(self, sequence: int) -> None:
        """Forget a sequence."""
        ...


class Cached:
    """Keys and values of a transformers model: each token is computed once.

    Raises:
        ModelError: S23 when the model's past is not keys and values.
    """

    def __init__(self, module: PreTrainedModel, bank: Bank | None = None) -> None:
        require_plain_past(module.config)
        self._module = module
        self._given = Given(bank)
        self._alone: dict[int, DynamicCache] = {}
        self._batch = BatchCache()
        self._rows: list[int] = []  # whose row of the batch it is
        accepted = inspect.signature(module.forward).parameters
        self._takes_positions = "position_ids" in accepted
        self._options = {"logits_to_keep": 1} if "logits_to_keep" in accepted else {}

    def begin(self, sequence: int, ids: Sequence[int], adapter: str | None = None) -> int:
        """See `Past.begin`."""
        self._given.note(sequence, adapter)
        self._alone[sequence] = DynamicCache()
        return 0

    def read(self, reads: Sequence[tuple[int, Sequence[int]]]) -> Tensor:
        """See `Past.read`."""
        before = [(self._alone[sequence], self._alone[sequence].get_seq_length()) for sequence, _ in reads]
        try:
            return torch.stack([self._read(sequence, ids) for sequence, ids in reads])
        except Exception:
            for cache, length in before:
                cache.crop(length)
            raise

    def _read(self, sequence: int, ids: Sequence[int]) -> Tensor:
        cache = self._alone[sequence]
        before, device = cache.get_seq_length(), self._module.device
        options: dict[str, Any] = dict(self._options)
        if self._takes_positions and before:
            options["position_ids"] = torch.arange(before, before + len(ids), device=device)[None]
        with self._given.over([sequence]):
            output = self._module(
                input_ids=torch.tensor([list(ids)], device=device),
                attention_mask=torch.ones(1, before + len(ids), dtype=torch.long, device=device),
                past_key_values=cache,
                use_cache=True,
                **options,
            )
        logits: Tensor = output.logits[0, -1]
        return logits

    def join(self, sequence: int) -> None:
        """See `Past.join`."""
        self._batch.join(self._alone.pop(sequence))
        self._rows.append(sequence)

    def forward(self, tokens: Mapping[int, int]) -> Tensor:
        """See `Past.forward`; when it fails, nothing is known of any sequence."""
        device = self._module.device
        options: dict[str, Any] = {}
        if self._takes_positions:
            options["position_ids"] = torch.tensor(self._batch.lengths, device=device)[:, None]
        with self._given.over(self._rows):
            output = self._module(
                input_ids=torch.tensor([tokens[sequence] for sequence in self._rows], device=device)[:, None],
                attention_mask=self._batch.mask(1, device),
                past_key_values=self._batch.cache,
                use_cache=True,
                **options,
            )
        self._batch.grow()
        return _in_order(output.logits[:, -1], self._rows, tokens)

    def drop(self, sequence: int) -> None:
        """See `Past.drop`."""
        self._given.forget(sequence)
        if self._alone.pop(sequence, None) is None:
            self._batch.keep([row for row, other in enumerate(self._rows) if other != sequence])
            self._rows.remove(sequence)


class Recomputed:
    """The tokens: a model that keeps nothing reads each sequence anew for every token.

    Sequences are padded on the right, which a causal model does not see.
    """

    def __init__(self, module: PreTrainedModel, bank: Bank | None = None) -> None:
        self._module = module
        self._given = Given(bank)
        self._read: dict[int, list[int]] = {}

    def begin(self, sequence: int, ids: Sequence[int], adapter: str | None = None) -> int:
        """See `Past.begin`."""
        self._given.note(sequence, adapter)
        self._read[sequence] = []
        return 0

    def read(self, reads: Sequence[tuple[int, Sequence[int]]]) -> Tensor:
        """See `Past.read`."""
        rows = {sequence: [*self._read[sequence], *ids] for sequence, ids in reads}
        with self._given.over(rows):
            logits = self._logits(list(rows.values()))
        self._read.update(rows)
        return logits

    def join(self, sequence: int) -> None:
        """See `Past.join`."""

    def forward(self, tokens: Mapping[int, int]) -> Tensor:
        """See `Past.forward`."""
        return self.read([(sequence, [token]) for sequence, token in tokens.items()])

    def drop(self, sequence: int) -> None:
        """See `Past.drop`."""
        self._given.forget(sequence)
        del self._read[sequence]

    def _logits(self, rows: Sequence[list[int]]) -> Tensor:
        width = max(map(len, rows))
        ids = torch.tensor([[*row, *[0] * (width - len(row))] for row in rows], device=self._module.device)
        ends = torch.tensor([len(row) - 1 for row in rows], device=self._module.device)
        logits: Tensor = self._module(input_ids=ids).logits
        return logits[torch.arange(len(rows), device=logits.device), ends]


def of(module: PreTrainedModel, remembered: int = 0, bank: Bank | None = None) -> Past:
    """The past that suits a model, with no sequences in it; some can remember beginnings in so many bytes.

    Sequences may have adapters out of `bank`, which is that of the module.

    Raises:
        ModelError: S23 when it keeps something else than keys and values.
    """
    if covers(module):
        return LlamaPast(module, remembered, bank)
    keeps_something = "past_key_values" in inspect.signature(module.forward).parameters
    kind = Cached if keeps_something or module._is_stateful else Recomputed
    return kind(module, bank)


def _in_order(logits: Tensor, rows: Sequence[int], wanted: Mapping[int, int]) -> Tensor:
    """Rows of logits in the order of `wanted`."""
    place = {sequence: row for row, sequence in enumerate(rows)}
    return logits[[place[sequence] for sequence in wanted]]
