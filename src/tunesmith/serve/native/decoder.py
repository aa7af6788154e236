"""Continuous batching over a `NativeModel`: all but the computing is that of `models.decoder`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from tunesmith.models.decoder import Batching, Failed, Sequenced
from tunesmith.models.lookup import Lookup
from tunesmith.models.sampling import Sampling
from tunesmith.models.token import Likelihood, Token
from tunesmith.serve.native.bank import NativeBank
from tunesmith.serve.native.model import NativeModel
from tunesmith.serve.native.past import NativePast
from tunesmith.serve.native.slots import PAGE


class NativeDecoder(Batching):
    """Continues up to `max_batch` sequences at once; `kept` pages stay for prompts that begin alike.

    Sequences may ask for adapters of `bank`.
    """

    def __init__(
        self, model: NativeModel, *, max_batch: int, chunk: int, kept: int, bank: NativeBank
    ) -> None:
        self._model, self._kept, self.bank = model, kept, bank
        super().__init__(
            vocabulary=model.plan.vocabulary, context=model.room.context, max_batch=max_batch, chunk=chunk
        )

    @property
    def fitting(self) -> int:
        """How many tokens of all sequences there is memory for, each with a page that is not full."""
        return (self._model.room.pages - self.max_batch) * PAGE

    def fresh(self) -> NativePast:
        """See `Batching.fresh`."""
        self._lookups: dict[int, Lookup] = {}
        self._native = NativePast(self._model, self._kept, self.bank)
        return self._native

    def add(self, ids: Sequence[int], sampling: Sampling, adapter: str | None = None) -> int:
        """See `Batching.add`."""
        handle = super().add(ids, sampling, adapter)
        self._lookups[handle] = Lookup(ids)
        return handle

    def remove(self, handle: int) -> None:
        """See `Batching.remove`."""
        super().remove(handle)
        self._lookups.pop(handle, None)

    def step(self, failed: Failed | None = None) -> list[Token]:
        """See `Batching.step`."""
        with _one_thread():
            tokens = super().step(failed)
        for token in tokens:
            if token.handle in self._lookups:
                self._lookups[token.handle].say(token.id)
        return tokens

    def _continued(self) -> Iterator[tuple[Sequenced, Tensor]]:
        """One sequence by itself is computed with what it may say next: weights are read once for all."""
        alone = next(iter(self._rows.values())) if self.active == len(self._rows) == 1 else None
        guessed = self._lookups[alone.handle].guess(alone.room - 1) if alone else []
        yield from self._guessed(alone, guessed) if alone and guessed else super()._continued()

    def _guessed(self, sequence: Sequenced, guessed: list[int]) -> Iterator[tuple[Sequenced, Tensor]]:
        read, right = [sequence.last, *guessed], 0
        for scores, guess in zip(self._native.attempt(sequence.handle, read), [*guessed, None], strict=True):
            yield sequence, scores
            if sequence.finished or sequence.last != guess or sequence.handle not in self._rows:
                break
            right += 1
        if sequence.handle in self._rows:
            self._native.keep(sequence.handle, read[: right + 1])
            self._lookups[sequence.handle].learn(len(guessed), right)

    def likelihoods(self, ids: Sequence[int], top: int, adapter: str | None = None) -> list[Likelihood]:
        """See `Batching.likelihoods`."""
        return self._native.likelihoods(ids, top, adapter)

    def close(self) -> None:
        """End the threads of the model."""
        self._model.close()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch choose tokens on one thread: its others would take the cores that ours wait on."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
