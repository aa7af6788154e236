"""Decoding with continuous batching: sequences join and leave between steps. Knows token ids, not text.

A new sequence is prefilled alone, then merged into the running batch; a step is one forward pass for all
running sequences. Works with any transformers causal model that keeps its past as keys and values.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from transformers import DynamicCache, PreTrainedModel

from tunesmith.core.errors import UsageError
from tunesmith.models.batch_cache import BatchCache, require_plain_past
from tunesmith.models.sampling import Sampling, choose

Finish = Literal["stop", "length"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One new token of the sequence `handle`; `finish` says why it is the last one, if it is."""

    handle: int
    id: int
    logprob: float | None
    finish: Finish | None


@dataclass(slots=True, kw_only=True, eq=False)
class _Sequence:
    handle: int
    sampling: Sampling
    generator: torch.Generator
    room: int  # new tokens that may still come
    last: int = 0  # the newest token, which is not in the cache yet


@dataclass(frozen=True, slots=True)
class _Newcomer:
    """A prefilled sequence on its way into the batch."""

    sequence: _Sequence
    cache: DynamicCache
    logits: Tensor  # [vocabulary]


class Decoder:
    """Continues up to `max_batch` sequences of token ids at once. Not thread-safe: one thread drives it.

    `module` is a transformers causal model in eval mode.

    Raises:
        ModelError: S23 when the model's past is not keys and values.
    """

    def __init__(self, module: nn.Module, *, max_batch: int) -> None:
        self.module = cast("PreTrainedModel", module)
        require_plain_past(self.module.config)
        self.max_batch = max_batch
        self.vocabulary = vocabulary_size(module)
        text_config = self.module.config.get_text_config(decoder=True)
        self.context: int | None = getattr(text_config, "max_position_embeddings", None)
        accepted = inspect.signature(module.forward).parameters
        self._takes_positions = "position_ids" in accepted
        self._prefill_options = {"logits_to_keep": 1} if "logits_to_keep" in accepted else {}
        self._handles = 0
        self.clear()

    def clear(self) -> None:
        """Forget all sequences."""
        self._batch = BatchCache()
        self._rows: list[_Sequence] = []
        self._newcomers: list[_Newcomer] = []

    @property
    def active(self) -> int:
        """How many sequences are being continued."""
        return len(self._rows) + len(self._newcomers)

    @torch.inference_mode()
    def add(self, ids: Sequence[int], sampling: Sampling) -> int:
        """Prefill a sequence; its first token comes with the next step. Returns its handle.

        Raises:
            UsageError: S02 when `ids` leave no room in the context, S21 for an id outside the vocabulary, S22
                when there are none, S25 when the batch is full.
        """
        if self.active >= self.max_batch:
            raise UsageError("S25", limit=self.max_batch)
        check_ids(ids, context=self.context, vocabulary=self.vocabulary)
        cache = DynamicCache()
        logits = self._prefill(ids, cache)
        room = sampling.max_new_tokens
        if self.context is not None:
            room = min(room, self.context - len(ids))
        sequence = _Sequence(
            handle=self._handles, sampling=sampling, generator=sampling.generator(), room=room
        )
        self._handles += 1
        self._newcomers.append(_Newcomer(sequence, cache, logits))
        return sequence.handle

    def _prefill(self, ids: Sequence[int], cache: DynamicCache) -> Tensor:
        input_ids = torch.tensor([list(ids)], device=self.module.device)
        output = self.module(
            input_ids=input_ids,
            attention_mask=torch.ones_like(input_ids),
            past_key_values=cache,
            use_cache=True,
            **self._prefill_options,
        )
        logits: Tensor = output.logits[0, -1]
        return logits

    @torch.inference_mode()
    def step(self) -> list[Token]:
        """One more token for every sequence; those that finish are removed."""
        logits = self._forward() if self._rows else ()
        pairs = [*zip(self._rows, logits, strict=True)]
        pairs += [(newcomer.sequence, newcomer.logits) for newcomer in self._newcomers]
        tokens = [self._next(sequence, row) for sequence, row in pairs]
        self._settle({token.handle for token in tokens if token.finish})
        return tokens

    def _forward(self) -> Tensor:
        """Feed the newest token of each row; returns logits [rows, vocabulary]."""
        device = self.module.device
        options: dict[str, Any] = {}
        if self._takes_positions:
            options["position_ids"] = torch.tensor(self._batch.lengths, device=device)[:, None]
        output = self.module(
            input_ids=torch.tensor([[sequence.last] for sequence in self._rows], device=device),
            attention_mask=self._batch.mask(1, device),
            past_key_values=self._batch.cache,
            use_cache=True,
            **options,
        )
        self._batch.grow()
        logits: Tensor = output.logits[:, -1]
        return logits

    def _next(self, sequence: _Sequence, logits: Tensor) -> Token:
        token, logprob = choose(logits, sequence.sampling, sequence.generator)
        sequence.last = token
        sequence.room -= 1
        finish: Finish | None = "length" if sequence.room <= 0 else None
        if token in sequence.sampling.stop_ids:
            finish = "stop"
        return Token(handle=sequence.handle, id=token, logprob=logprob, finish=finish)

    def _settle(self, gone: set[int]) -> None:
        """Drop finished rows and move the newcomers that go on into the batch."""
        rows = [i for i, sequence in enumerate(self._rows) if sequence.handle not in gone]
        if len(rows) < len(self._rows):
            self._batch.keep(rows)
            self._rows = [self._rows[i] for i in rows]
        for newcomer in self._newcomers:
            if newcomer.sequence.handle not in gone:
                self._batch.join(newcomer.cache)
                self._rows.append(newcomer.sequence)
        self._newcomers = []

    @torch.inference_mode()
    def remove(self, handle: int) -> None:
        """Stop continuing a sequence; one that is already gone is no error."""
        self._newcomers = [n for n in self._newcomers if n.sequence.handle != handle]
        rows = [i for i, sequence in enumerate(self._rows) if sequence.handle != handle]
        if len(rows) < len(self._rows):
            self._batch.keep(rows)
            self._rows = [self._rows[i] for i in rows]


def vocabulary_size(module: nn.Module) -> int:
    """How many token ids a model knows."""
    return int(cast("PreTrainedModel", module).config.get_text_config(decoder=True).vocab_size)


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


def run(decoder: Decoder, ids: Sequence[int], sampling: Sampling) -> Iterator[Token]:
    """Continue one sequence to its end. The decoder is not to be stepped by others meanwhile."""
    handle = decoder.add(ids, sampling)
    try:
        while True:
            for token in decoder.step():
                yield token
                if token.finish:
                    return
    finally:
        decoder.remove(handle)
