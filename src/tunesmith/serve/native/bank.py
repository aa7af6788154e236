"""Adapters of a packed model as its kernels read them: A and B of each matrix in panels."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.core.errors import ModelError, NotFoundError
from tunesmith.models import low_rank
from tunesmith.serve.native.formats import Format
from tunesmith.serve.native.packing import pack
from tunesmith.serve.native.plan import Matrix, Plan
from tunesmith.serve.native.slots import COLUMNS, PAIR

Floats = NDArray[np.float32]
_FLOATS = Format(name="float32", activations="float32", bits=32, steps=1)
_Sizes = Mapping[str, tuple[int, int]]


class NativeAdapter:
    """One adapter: `table` [4 (layers + 1), PAIR]. Its `number` is no other's, also of one of the same name.

    `widest` is the padded rank of the matrix with the largest.
    """

    def __init__(self, plan: Plan, sizes: _Sizes, found: low_rank.LowRank, number: int) -> None:
        self.number = number
        self.table = np.zeros((4 * (plan.layers + 1), PAIR), np.int64)
        self.widest = 0
        self._kept: list[NDArray[np.generic]] = []
        for entry, matrix in zip(self.table, plan.matrices, strict=False):
            a, b = _stacked(matrix, sizes, found)
            if len(a):
                low, high = pack(a, _FLOATS).weights, pack(b, _FLOATS).weights
                self._kept += (low, high)
                entry[:] = low.ctypes.data, high.ctypes.data, len(low)
                self.widest = max(self.widest, len(low) * COLUMNS)


class NativeBank:
    """Plain adapters on a packed model, by name; any thread may change them.

    A sequence keeps the adapter that it began with, also when that is taken out.
    """

    def __init__(self, sizes: _Sizes, plan: Plan) -> None:
        self._sizes = sizes  # of the maps of the module, see `low_rank.sizes`
        self._plan = plan
        self._numbers = itertools.count(1)
        self._known: dict[str, NativeAdapter] = {}
        self._changing = threading.Lock()

    def add(self, name: str, folder: Path) -> None:
        """Read an adapter from a PEFT folder.

        Raises:
            ModelError: M21 when it does not fit this model, or changes what is not computed here.
        """
        found = low_rank.read(self._sizes, folder)
        parts = {part for matrix in self._plan.matrices[:-1] for part in matrix.parts}
        if strange := found.factors.keys() - parts:
            raise ModelError("M21", file=folder, reason=min(strange))
        adapter = NativeAdapter(self._plan, self._sizes, found, next(self._numbers))
        with self._changing:
            self._known = self._known | {name: adapter}

    def remove(self, name: str) -> None:
        """Take an adapter out; one that is not there is no error."""
        with self._changing:
            self._known = {known: adapter for known, adapter in self._known.items() if known != name}

    def find(self, name: str | None) -> NativeAdapter | None:
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


def _stacked(matrix: Matrix, sizes: _Sizes, given: low_rank.LowRank) -> tuple[Floats, Floats]:
    """A [ranks, inputs] and B [outputs, ranks] of all parts of a matrix; the ranks are padded to panels."""
    found = [given.factors.get(part) for part in matrix.parts]
    ranks = sum(len(pair[0]) for pair in found if pair)
    padded = -(-ranks // COLUMNS) * COLUMNS
    a, b = np.zeros((padded, matrix.inputs), np.float32), np.zeros((matrix.outputs, padded), np.float32)
    rank = output = 0
    for part, pair in zip(matrix.parts, found, strict=True):
        if pair:
            low, high = (factor.float().numpy() for factor in pair)
            a[rank : rank + len(low)] = low
            b[output : output + len(high), rank : rank + len(low)] = high * np.float32(given.scale)
            rank += len(low)
        output += sizes[part][0] if part in sizes else 0
    return a, b
