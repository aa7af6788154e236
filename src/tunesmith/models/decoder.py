"""Decoding with continuous batching: sequences join and leave between steps. Knows token ids, not text.

A new sequence is prefilled alone, then merged into the running batch; a step is one forward pass for all
running sequences. What is kept of the tokens that were read is the matter of `models.past`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from tunesmith.core.errors import UsageError
from tunesmith.models import past
from tunesmith.models.likelihood import Likelihood
from tunesmith.models.sampling import Sampler, Sampling

Finish = Literal["stop", "length"]
# Why a token is the last: it is a stop token, there is no more room, or the grammar allows nothing after it.
TokenFinish = Literal["stop", "length", "complete"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One new token of the sequence `handle`; `finish` says why it is the last one, if it is."""

    handle: int
    id: int
    likelihood: Likelihood | None
    finish: TokenFinish | None


@dataclass(slots=True, kw_only=True, eq=False)
class _Sequence:
    handle: int
    sampler: Sampler
    room: int  # new tokens that may still come
    last: int = 0  # the newest token, which is not in the cache yet


@dataclass(frozen=True, slots=True)
class _Newcomer:
    """A prefilled sequence on its way into the batch."""

    sequence: _Sequence
    past: Any
    logits: Tensor  # [vocabulary]


class Decoder:
    """Continues up to `max_batch` sequences of token ids at once. Not thread-safe: one thread drives it.

    `module` is a causal model with the interface of transformers, in eval mode.

    Raises:
        ModelError: S23 when the model's past is not keys and values.
    """

    def __init__(self, module: nn.Module, *, max_batch: int) -> None:
        self.module = cast("PreTrainedModel", module)
        self.max_batch = max_batch
        self.vocabulary = vocabulary_size(module)
        text_config = self.module.config.get_text_config(decoder=True)
        self.context: int | None = getattr(text_config, "max_position_embeddings", None)
        self._handles = 0
        self.clear()

    def clear(self) -> None:
        """Forget all sequences."""
        self._past = past.of(self.module)
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
        logits, read = self._past.prefill(ids)
        room = sampling.max_new_tokens
        if self.context is not None:
            room = min(room, self.context - len(ids))
        sequence = _Sequence(handle=self._handles, sampler=Sampler(sampling), room=room)
        self._handles += 1
        self._newcomers.append(_Newcomer(sequence, read, logits))
        return sequence.handle

    @torch.inference_mode()
    def step(self) -> list[Token]:
        """One more token for every sequence; those that finish are removed."""
        logits = self._past.forward([row.last for row in self._rows]) if self._rows else ()
        pairs = [*zip(self._rows, logits, strict=True)]
        pairs += [(newcomer.sequence, newcomer.logits) for newcomer in self._newcomers]
        tokens = [self._next(sequence, row) for sequence, row in pairs]
        self._settle({token.handle for token in tokens if token.finish})
        return tokens

    def _next(self, sequence: _Sequence, logits: Tensor) -> Token:
        chosen = sequence.sampler.next(logits)
        sequence.last = chosen.id
        sequence.room -= 1
        finish: TokenFinish | None = "length" if sequence.room <= 0 else None
        if chosen.ends:
            finish = "complete"
        if chosen.id in sequence.sampler.sampling.stop_ids:
            finish = "stop"
        return Token(handle=sequence.handle, id=chosen.id, likelihood=chosen.likelihood, finish=finish)

    def _settle(self, gone: set[int]) -> None:
        """Drop finished rows and move the newcomers that go on into the batch."""
        rows = [i for i, sequence in enumerate(self._rows) if sequence.handle not in gone]
        if len(rows) < len(self._rows):
            self._past.keep(rows)
            self._rows = [self._rows[i] for i in rows]
        for newcomer in self._newcomers:
            if newcomer.sequence.handle not in gone:
                self._past.join(newcomer.past)
                self._rows.append(newcomer.sequence)
        self._newcomers = []

    @torch.inference_mode()
    def remove(self, handle: int) -> None:
        """Stop continuing a sequence; one that is already gone is no error."""
        self._newcomers = [n for n in self._newcomers if n.sequence.handle != handle]
        rows = [i for i, sequence in enumerate(self._rows) if sequence.handle != handle]
        if len(rows) < len(self._rows):
            self._past.keep(rows)
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
