"""A packed model, ready to make steps: arrays with their addresses, room to work in, threads.

What comes from outside (ids, positions, pages) is held to its bounds here, before any address is made of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.core.errors import TunesmithError
from tunesmith.serve.names import Weights
from tunesmith.serve.native import machine
from tunesmith.serve.native.bank import NativeAdapter
from tunesmith.serve.native.formats import Format, format_for
from tunesmith.serve.native.isa import Isa
from tunesmith.serve.native.plan import Plan
from tunesmith.serve.native.rotary import Rotary
from tunesmith.serve.native.slots import PAGE, Slot
from tunesmith.serve.native.table import Room, Table, aligned, fill_model, fill_work
from tunesmith.serve.native.threads import Team

Arrays = Mapping[str, NDArray[Any]]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Tokens of one sequence from a position on; `pages` are those of all its positions.

    `asked` says of which of them the logits are wanted, by their number; `adapter` is that of the sequence.
    """

    ids: Sequence[int]
    position: int
    pages: Sequence[int]
    asked: Sequence[int]
    adapter: NativeAdapter | None = None


def formats(plan: Plan, weights: Weights, isa: Isa) -> dict[str, Format]:
    """In which numbers each matrix is kept. The head of an int4 model has 8 bits: it decides every token."""
    kind = format_for(weights, isa)
    head = format_for("int8", isa) if weights == "int4" else kind
    return {matrix.name: head if matrix.name == "head" else kind for matrix in plan.matrices}


class NativeModel:
    """Computes steps. Not thread-safe: one thread drives it. Close it to end its other threads."""

    def __init__(
        self, plan: Plan, turning: Rotary, arrays: Arrays, kinds: Mapping[str, Format], memory: Format,
        isa: Isa, room: Room,
    ) -> None:  # fmt: skip
        self.plan, self.room = plan, room
        known = list(dict.fromkeys([format_for("float32", isa), memory, *kinds.values()]))
        self._kernels = [machine.kernels(kind, isa) for kind in known]
        self._embedding, self._positions = arrays["embedding"], arrays["positions"]
        self._table = Table()
        fill_model(self._table, plan, turning, arrays, kinds, memory, self._kernels, room)
        self._work = fill_work(self._table, plan, kinds, memory, isa, room)
        self._adapters = np.zeros(room.rows, np.int64)
        self._low = aligned((0, 0), np.float32)
        self._turn = 0
        self._team = Team(self._table, room.threads, isa)

    def close(self) -> None:
        """End its threads."""
        self._team.close()

    def clean(self, page: int) -> None:
        """Forget the values of a page: what nobody sees is multiplied by 0, which leaves NaN as it is."""
        for part in self._work.values:
            part[:, page] = 0

    def step(self, reads: Sequence[Read]) -> Floats:
        """Read tokens; the logits that were asked for, [asked, vocabulary], until the step after the next.

        Raises:
            TunesmithError: N04 for what is out of bounds.
        """
        self._check(reads)
        rows, asked = self._fill(reads)
        self._adapt(reads)
        ids = np.concatenate([np.asarray(read.ids, np.int64) for read in reads])
        x = self._work.x[:rows, : self.plan.hidden]
        x[:] = self._embedding[ids]
        if self.plan.embedding_factor != 1:
            x *= np.float32(self.plan.embedding_factor)
        if self.plan.positions:
            x += self._positions[self._work.positions[:rows]]
        self._turn = 1 - self._turn
        logits: Floats = self._work.logits[self._turn]
        self._table[Slot.LOGITS] = logits.ctypes.data
        self._work.taken[:] = 0
        self._team.step()
        found: Floats = logits[:asked, : self.plan.vocabulary]
        return found

    def _fill(self, reads: Sequence[Read]) -> tuple[int, int]:
        work, row, asked = self._work, 0, 0
        for number, read in enumerate(reads):
            count = len(read.ids)
            work.parts[number] = row, count
            work.positions[row : row + count] = np.arange(read.position, read.position + count)
            work.tables[number, : len(read.pages)] = read.pages
            work.asked[asked : asked + len(read.asked)] = row + np.asarray(read.asked, np.int64)
            row, asked = row + count, asked + len(read.asked)
        for slot, value in ((Slot.ROWS, row), (Slot.SEGMENTS, len(reads)), (Slot.ASKED, asked)):
            self._table[slot] = value
        return row, asked

    def _adapt(self, reads: Sequence[Read]) -> None:
        """Say which adapter each row has; where none has one, the step does not look for them."""
        widest = max(read.adapter.widest if read.adapter else 0 for read in reads)
        self._table[Slot.ADAPTERS] = self._adapters.ctypes.data if widest else 0
        if not widest:
            return
        if widest > self._low.shape[1]:
            # A row for each of a step, and of few rows one for each thread.
            self._low = aligned((max(self.room.rows, 2 * self.room.threads**2), widest), np.float32)
            self._table[Slot.LOW], self._table[Slot.LOW_STRIDE] = self._low.ctypes.data, widest
        row = 0
        for read in reads:
            end = row + len(read.ids)
            self._adapters[row:end] = read.adapter.table.ctypes.data if read.adapter else 0
            row = end

    def _check(self, reads: Sequence[Read]) -> None:
        room = self.room
        _within("rows", sum(len(read.ids) for read in reads), 1, room.rows)
        _within("rows asked", sum(len(read.asked) for read in reads), 0, room.asked)
        for read in reads:
            end = read.position + len(read.ids)
            _within("tokens", len(read.ids), 1, room.rows)
            _within("position", read.position, 0, room.context - 1)
            _within("pages", len(read.pages), 1, self._work.tables.shape[1])
            _within("end", end, 1, min(room.context, len(read.pages) * PAGE))
            for name, values, limit in (
                ("token id", read.ids, self.plan.vocabulary),
                ("page", read.pages, room.pages),
                ("asked row", read.asked, len(read.ids)),
            ):
                _within(name, min(values, default=0), 0, limit - 1)
                _within(name, max(values, default=0), 0, limit - 1)


def _within(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise TunesmithError("N04", what=name, value=value, low=low, high=high)
