"""Which steps are not learned from: a loss or gradient that is no number, or a loss far above the usual."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Literal

Reason = Literal["not_finite", "spike"]
# So many losses say what is usual; before half of them are there, nothing is called a spike.
_LATEST = 32
PATIENCE = 3
"""So many bad steps in a row are no accident."""


class BadStepError(ArithmeticError):
    """A step must not be learned from; nothing was updated. `rows` are the ledger rows of its batch."""

    def __init__(self, reason: Reason, loss: float, rows: Sequence[int]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.loss = loss
        self.rows = rows


class Guard:
    """Looks at each step before its update. `spike`: how many times the usual loss is too much, or None.

    What it remembers is part of a checkpoint, so that a continued training decides alike.
    """

    def __init__(self, spike: float | None) -> None:
        self._spike = spike
        self._latest: deque[float] = deque(maxlen=_LATEST)
        self._bad = 0

    def reason(self, loss: float, norm: float) -> Reason | None:
        """Why a step with this loss and gradient norm is bad; None when it is good, which is remembered."""
        if not (math.isfinite(loss) and math.isfinite(norm)):
            return "not_finite"
        if self._spike and len(self._latest) * 2 >= _LATEST and loss > self._spike * self.usual > 0:
            return "spike"
        self._latest.append(loss)
        self._bad = 0
        return None

    @property
    def usual(self) -> float:
        """The median of the latest losses."""
        return median(self._latest) if self._latest else math.nan

    def skip(self) -> bool:
        """Count a bad step that is to be passed over; whether there were few enough in a row."""
        self._bad += 1
        return self._bad <= PATIENCE

    def state(self) -> dict[str, Any]:
        """What is remembered, as JSON."""
        return {"latest": list(self._latest), "bad": self._bad}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Remember what `state` gave."""
        self._latest = deque(state.get("latest", ()), maxlen=_LATEST)
        self._bad = state.get("bad", 0)
