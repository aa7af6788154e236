"""Continuous batching over a `NativeModel`: all but the computing is that of `models.decoder`."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.models.decoder import Batching
from tunesmith.models.token import Likelihood
from tunesmith.serve.native.model import NativeModel
from tunesmith.serve.native.past import NativePast
from tunesmith.serve.native.slots import PAGE


class NativeDecoder(Batching):
    """Continues up to `max_batch` sequences at once; `kept` pages stay for prompts that begin alike."""

    def __init__(self, model: NativeModel, *, max_batch: int, chunk: int, kept: int) -> None:
        self._model, self._kept = model, kept
        super().__init__(
            vocabulary=model.plan.vocabulary, context=model.room.context, max_batch=max_batch, chunk=chunk
        )

    @property
    def fitting(self) -> int:
        """How many tokens of all sequences there is memory for, each with a page that is not full."""
        return (self._model.room.pages - self.max_batch) * PAGE

    def fresh(self) -> NativePast:
        """See `Batching.fresh`."""
        self._native = NativePast(self._model, self._kept)
        return self._native

    def likelihoods(self, ids: Sequence[int], top: int) -> list[Likelihood]:
        """See `Batching.likelihoods`."""
        return self._native.likelihoods(ids, top)

    def close(self) -> None:
        """End the threads of the model."""
        self._model.close()
