"""Adapters that share one base: none is folded in, and each row of a pass has its own, or none.

A row is what a pass has in its first dimension: a sequence of a batch, or a token of `models.llama_past`.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from tunesmith.core.errors import NotFoundError
from tunesmith.models import adapters, low_rank


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Adapter:
    """The factors of each map that it changes: A [rank, in], and B [out, rank] times the scale.

    Its `number` is no other's, also of one of the same name.
    """

    number: int
    factors: Mapping[str, tuple[Tensor, Tensor]]


class Bank:
    """Plain adapters on `module`, by name; any thread may change them, one computes.

    A sequence keeps the adapter that it began with, also when that is taken out.
    """

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        self._sizes = low_rank.sizes(module)
        self._numbers = itertools.count(1)
        self._known: dict[str, Adapter] = {}
        self._changing = threading.Lock()
        self.turn: list[tuple[Adapter, Tensor | None]] = []  # of a pass, with their rows; None: all rows

    def add(self, name: str, folder: Path) -> None:
        """Read an adapter from a PEFT folder.

        Raises:
            ModelError: M21 when it does not fit this model.
        """
        found = low_rank.read(self._sizes, folder)
        factors: dict[str, tuple[Tensor, Tensor]] = {}
        for part, (low, high) in found.factors.items():
            weight: Tensor = self._shared(part).base.weight  # type: ignore[assignment]
            factors[part] = (low.to(weight), (high * found.scale).to(weight))
        adapter = Adapter(number=next(self._numbers), factors=factors)
        with self._changing:
            self._known = self._known | {name: adapter}

    def _shared(self, part: str) -> _Shared:
        """The map of a name, which asks this bank from now on."""
        known = self._module.get_submodule(part)
        if isinstance(known, _Shared):
            return known
        made = _Shared(known, part, self)
        adapters.replace(self._module, part, made)
        return made

    def remove(self, name: str) -> None:
        """Take an adapter out; one that is not there is no error."""
        with self._changing:
            self._known = {known: adapter for known, adapter in self._known.items() if known != name}

    def find(self, name: str | None) -> Adapter | None:
        """The adapter called so; None for the base.

        Raises:
            NotFoundError: S61 when there is none.
        """
        if name is None:
            return None
        # Looked up once: another thread may take it away.
        if (found := self._known.get(name)) is None:
            raise NotFoundError("S61", name=name)
        return found

    @contextmanager
    def rows(self, given: Sequence[Adapter | None]) -> Iterator[None]:
        """While a pass over rows is made, what each of them has."""
        present = dict.fromkeys(given)
        device = next(self._module.parameters()).device
        self.turn = [
            (adapter, _places(given, adapter, device) if len(present) > 1 else None)
            for adapter in present
            if adapter is not None
        ]
        try:
            yield
        finally:
            self.turn = []


def _places(given: Iterable[Adapter | None], adapter: Adapter, device: torch.device) -> Tensor:
    return torch.tensor([row for row, other in enumerate(given) if other is adapter], device=device)


class _Shared(nn.Module):
    """A linear map, and what the adapters of a bank add to their rows: y = W x + scale * B A x."""

    def __init__(self, base: nn.Module, name: str, bank: Bank) -> None:
        super().__init__()
        self.base = base
        self._name = name
        self._bank = bank

    def forward(self, x: Tensor) -> Tensor:
        """x: [rows, ..., in] -> [rows, ..., out]."""
        out: Tensor = self.base(x)
        for adapter, rows in self._bank.turn:
            if (factors := adapter.factors.get(self._name)) is None:
                continue
            low = functional.linear(x if rows is None else x[rows], factors[0])
            more = functional.linear(low, factors[1])
            out = out + more if rows is None else out.index_add(0, rows, more)
        return out


class Given:
    """Which adapter of a bank each sequence of a past has; without a bank, none."""

    def __init__(self, bank: Bank | None) -> None:
        self._bank = bank
        self._of: dict[int, Adapter] = {}

    def note(self, sequence: int, name: str | None) -> None:
        """A new sequence has the adapter called so.

        Raises:
            NotFoundError: S61 when there is none.
        """
        if name is None:
            return
        adapter = self._bank.find(name) if self._bank else None
        if adapter is None:
            raise NotFoundError("S61", name=name)
        self._of[sequence] = adapter

    def number(self, sequence: int) -> int:
        """That of the adapter of a sequence; 0 for the base."""
        adapter = self._of.get(sequence)
        return adapter.number if adapter else 0

    def forget(self, sequence: int) -> None:
        """A sequence is gone."""
        self._of.pop(sequence, None)

    @contextmanager
    def over(self, sequences: Iterable[int]) -> Iterator[None]:
        """While a pass is made whose rows are of these sequences."""
        if self._bank is None:
            yield
            return
        with self._bank.rows([self._of.get(sequence) for sequence in sequences]):
            yield
