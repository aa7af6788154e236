"""Hidden states that cannot change, remembered: of rows after layers in which nothing learns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tunesmith.models.backbone import Rows

_AT_MOST_BYTES = 2 << 30


class Memory:
    """`compute`: hidden states [tokens, hidden] of one row, which must depend on nothing but the row.

    Rows are computed one by one, so that a state has the same bits whatever the batches were, and whether it
    is remembered: beyond `limit` bytes it is not.
    """

    def __init__(self, compute: Callable[[NDArray[np.integer[Any]]], Tensor]) -> None:
        self._compute = compute
        self._known: dict[bytes, Tensor] = {}
        self.bytes = 0
        self.limit = _AT_MOST_BYTES

    def of(self, rows: Rows) -> Tensor:
        """The states of rows, one after another."""
        return torch.cat([self._of(row) for row in rows])

    def _of(self, row: NDArray[np.integer[Any]]) -> Tensor:
        key = row.tobytes()
        if key in self._known:
            return self._known[key]
        with torch.no_grad():
            found = self._compute(row)
        if self.bytes + found.nbytes <= self.limit:
            self._known[key] = found
            self.bytes += found.nbytes
        return found
