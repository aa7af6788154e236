"""The past of sequences in pages: what `models.decoder` asks of a past, computed by a `NativeModel`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from tunesmith.models.likelihood import likelihoods
from tunesmith.models.token import Likelihood
from tunesmith.serve.native.bank import NativeBank
from tunesmith.serve.native.model import NativeModel, Read
from tunesmith.serve.native.pages import Held, Pages

# Of a sequence, ids, and the numbers of those whose logits are asked.
_Part: TypeAlias = "tuple[Held, Sequence[int], Sequence[int]]"


class NativePast:
    """See `models.past.Past`. Up to `kept` pages stay for prompts that begin alike, with the same adapter."""

    def __init__(self, model: NativeModel, kept: int, bank: NativeBank) -> None:
        self._model, self._bank = model, bank
        self._pages = Pages(model.room.pages, kept, model.clean)
        self._held: dict[int, Held] = {}

    def begin(self, sequence: int, ids: Sequence[int], adapter: str | None = None) -> int:
        """See `Past.begin`."""
        self._held[sequence] = self._pages.begin(ids, self._bank.find(adapter))
        return self._held[sequence].length

    def read(self, reads: Sequence[tuple[int, Sequence[int]]]) -> Tensor:
        """See `Past.read`."""
        return self._step([(self._held[sequence], ids, [len(ids) - 1]) for sequence, ids in reads])

    def join(self, sequence: int) -> None:
        """See `Past.join`; a sequence stays where it is."""

    def forward(self, tokens: Mapping[int, int]) -> Tensor:
        """See `Past.forward`."""
        return self._step([(self._held[sequence], [token], [0]) for sequence, token in tokens.items()])

    def attempt(self, sequence: int, ids: Sequence[int]) -> Tensor:
        """Logits [ids, vocabulary] behind each of some tokens, of which none is noted: see `keep`."""
        held = self._held[sequence]
        return self._compute([(held, ids, range(len(ids)))])

    def keep(self, sequence: int, ids: Sequence[int]) -> None:
        """Note the first tokens of an attempt; what was computed of the others is overwritten."""
        self._pages.wrote(self._held[sequence], ids)

    def drop(self, sequence: int) -> None:
        """See `Past.drop`."""
        if held := self._held.pop(sequence, None):
            self._pages.drop(held)

    def likelihoods(self, ids: Sequence[int], top: int, adapter: str | None = None) -> list[Likelihood]:
        """Of every id but the first, given those before it."""
        held, found = self._pages.begin((), self._bank.find(adapter)), list[Likelihood]()
        piece = min(self._model.room.rows, self._model.room.asked)
        try:
            for start in range(0, len(ids) - 1, piece):
                part, following = ids[start : start + piece], ids[start + 1 : start + 1 + piece]
                logits = self._step([(held, part, range(len(part)))])
                found += likelihoods(logits[: len(following)], following, top)
        finally:
            self._pages.drop(held)
        return found

    def _step(self, parts: Sequence[_Part]) -> Tensor:
        logits = self._compute(parts)
        for held, ids, _ in parts:
            self._pages.wrote(held, ids)
        return logits

    def _compute(self, parts: Sequence[_Part]) -> Tensor:
        for held, ids, _ in parts:
            self._pages.reserve(held, held.length + len(ids))
        reads = [
            Read(ids=ids, position=held.length, pages=held.pages, asked=asked, adapter=held.adapter)
            for held, ids, asked in parts
        ]
        return torch.from_numpy(self._model.step(reads))
