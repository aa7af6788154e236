"""Decoding with continuous batching: sequences join and leave between steps. Knows token ids, not text.

A step is one forward pass for all running sequences, and one for a chunk of the prompts that are still to
be read, so that a long prompt does not hold up the others. What is kept of tokens that were read is the
matter of `models.past`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias, cast

import torch
from torch import Tensor, nn

from tunesmith.core.errors import UsageError
from tunesmith.models import chunks
from tunesmith.models.likelihood import read
from tunesmith.models.sampler import Sampler
from tunesmith.models.sampling import Sampling
from tunesmith.models.token import Likelihood, Token, TokenFinish, check_ids

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from tunesmith.models import past
    from tunesmith.models.bank import Bank

Failed = Callable[[int, Exception], None]  # told the handle of a sequence that failed, and why


@dataclass(slots=True, kw_only=True, eq=False)
class Sequenced:
    """A sequence that is continued."""

    handle: int
    sampler: Sampler
    room: int  # new tokens that may still come
    unread: Sequence[int]  # what is left of the prompt
    last: int = 0  # the newest token, which was not read yet
    finished: bool = False


_Read: TypeAlias = "tuple[Sequenced, int]"  # a sequence, and how many of its ids are read


class Batching:
    """Continues up to `max_batch` sequences of token ids at once. Not thread-safe: one thread drives it.

    A step reads at most `chunk` tokens of prompts. `context` is the longest sequence, if there is one.
    """

    def __init__(self, *, vocabulary: int, context: int | None, max_batch: int, chunk: int) -> None:
        self.vocabulary, self.context = vocabulary, context
        self.max_batch, self.chunk = max_batch, chunk
        self._handles = 0
        self.clear()

    def fresh(self) -> past.Past:
        """A past without sequences."""
        raise NotImplementedError

    def likelihoods(self, ids: Sequence[int], top: int, adapter: str | None = None) -> list[Likelihood]:
        """How likely the model finds every id but the first, given those before it."""
        raise NotImplementedError

    def clear(self) -> None:
        """Forget all sequences."""
        self._past = self.fresh()
        self._rows: dict[int, Sequenced] = {}
        self._newcomers: dict[int, Sequenced] = {}  # whose prompts are being read, the oldest first

    @property
    def active(self) -> int:
        """How many sequences are being continued."""
        return len(self._rows) + len(self._newcomers)

    @torch.inference_mode()
    def add(self, ids: Sequence[int], sampling: Sampling, adapter: str | None = None) -> int:
        """Take a sequence in; its first token comes with the step that ends its prompt. Returns its handle.

        With an `adapter`, it is continued by the model that this makes of the base.

        Raises:
            NotFoundError: S61 when there is no such adapter.
            UsageError: S02 when `ids` leave no room in the context, S21 for an id outside the vocabulary, S22
                when there are none, S25 when the batch is full.
        """
        if self.active >= self.max_batch:
            raise UsageError("S25", limit=self.max_batch)
        check_ids(ids, context=self.context, vocabulary=self.vocabulary)
        room = sampling.max_new_tokens
        if self.context is not None:
            room = min(room, self.context - len(ids))
        handle = self._handles
        self._handles += 1
        sampler = Sampler(sampling)
        unread = ids[self._past.begin(handle, ids, adapter) :]
        self._newcomers[handle] = Sequenced(handle=handle, sampler=sampler, room=room, unread=unread)
        return handle

    @torch.inference_mode()
    def step(self, failed: Failed | None = None) -> list[Token]:
        """A token or more for every sequence whose prompt is read, and a chunk of the other prompts.

        Sequences that finish are removed. `failed` is told of each that fails without the others, which is
        removed too; if it is None, the error is raised.
        """
        tokens: list[Token] = []
        for sequence, scores in chain(self._continued(), self._read(failed)):
            with self._by_itself(sequence.handle, failed):
                tokens.append(_next(sequence, scores))
        for token in tokens:
            if token.finish:
                self.remove(token.handle)
        return tokens

    @torch.inference_mode()
    def remove(self, handle: int) -> None:
        """Stop continuing a sequence; one that is already gone is no error."""
        known = self._rows.pop(handle, None) or self._newcomers.pop(handle, None)
        if known is not None:
            self._past.drop(handle)

    def _continued(self) -> Iterator[tuple[Sequenced, Tensor]]:
        """Sequences with the logits of what follows; a token has been chosen when the next are asked for."""
        rows = list(self._rows.values())
        if rows:
            yield from zip(rows, self._past.forward({row.handle: row.last for row in rows}), strict=True)

    def _read(self, failed: Failed | None) -> Iterator[tuple[Sequenced, Tensor]]:
        """Read a chunk of the prompts: the sequences whose prompt that ends, and what follows."""
        counts = chunks.shares([len(sequence.unread) for sequence in self._newcomers.values()], self.chunk)
        reads = [pair for pair in zip(self._newcomers.values(), counts, strict=True) if pair[1]]
        try:
            groups = iter([(reads, self._logits(reads))] if reads else [])
        except Exception:
            if len(reads) == 1 and failed is None:
                raise
            groups = self._one_by_one(reads, failed)
        for group, logits in groups:
            for (sequence, count), scores in zip(group, logits, strict=True):
                sequence.unread = sequence.unread[count:]
                if not sequence.unread:
                    self._past.join(sequence.handle)
                    self._rows[sequence.handle] = self._newcomers.pop(sequence.handle)
                    yield sequence, scores

    def _one_by_one(
        self, reads: Sequence[_Read], failed: Failed | None
    ) -> Iterator[tuple[list[_Read], Tensor]]:
        """What is left when one of several prompts cannot be read; logits last until the next are made."""
        for one in reads:
            logits = None
            with self._by_itself(one[0].handle, failed):
                logits = self._logits([one])
            if logits is not None:
                yield [one], logits

    def _logits(self, reads: Sequence[_Read]) -> Tensor:
        return self._past.read([(sequence.handle, sequence.unread[:count]) for sequence, count in reads])

    @contextmanager
    def _by_itself(self, handle: int, failed: Failed | None) -> Iterator[None]:
        """Work on one sequence, whose failure is no other's."""
        try:
            yield
        except Exception as error:
            if failed is None:
                raise
            self.remove(handle)
            failed(handle, error)


class Decoder(Batching):
    """Batching over `module`, a causal model with the interface of transformers, in eval mode.

    `chunk` None: as many tokens as a processor reads in a fraction of a second. Beginnings that were read are
    kept in `remembered` bytes for prompts that begin so, if the model's past is computed here. Sequences may
    ask for adapters of `bank`.

    Raises:
        ModelError: S23 when the model's past is not keys and values.
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        max_batch: int,
        chunk: int | None = None,
        remembered: int = 0,
        bank: Bank | None = None,
    ) -> None:
        self.module = cast("PreTrainedModel", module)
        self._bank = bank
        self._remembered = remembered
        text_config = self.module.config.get_text_config(decoder=True)
        super().__init__(
            vocabulary=vocabulary_size(module),
            context=getattr(text_config, "max_position_embeddings", None),
            max_batch=max_batch,
            chunk=chunk or chunks.size(module),
        )

    def fresh(self) -> past.Past:
        """See `Batching.fresh`."""
        from tunesmith.models import past

        return past.of(self.module, self._remembered, self._bank)

    def likelihoods(self, ids: Sequence[int], top: int, adapter: str | None = None) -> list[Likelihood]:
        """See `Batching.likelihoods`."""
        from tunesmith.models.bank import Given

        given = Given(self._bank)
        given.note(0, adapter)
        with given.over([0]):
            return read(self.module, ids, top)


def _next(sequence: Sequenced, logits: Tensor) -> Token:
    chosen = sequence.sampler.next(logits)
    sequence.last = chosen.id
    sequence.room -= 1
    finish: TokenFinish | None = "length" if sequence.room <= 0 else None
    if chosen.ends:
        finish = "complete"
    if chosen.id in sequence.sampler.sampling.stop_ids:
        finish = "stop"
    sequence.finished = finish is not None
    return Token(handle=sequence.handle, id=chosen.id, likelihood=chosen.likelihood, finish=finish)


def vocabulary_size(module: nn.Module) -> int:
    """How many token ids a model knows."""
    return int(cast("PreTrainedModel", module).config.get_text_config(decoder=True).vocab_size)


def run(decoder: Batching, ids: Sequence[int], sampling: Sampling) -> Iterator[Token]:
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
