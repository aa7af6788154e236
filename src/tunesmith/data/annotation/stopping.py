"""Whether more labels are worth their time, from how a model does on items that were drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Advice = Literal["too_few", "go_on", "stop", "no_learner"]

LEAST_HELD_OUT = 20
_ENOUGH = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """The curve (labels, macro F1 on held-out items), what twice as many would bring, and the advice.

    It is `no_learner` where no model learns while people label.
    """

    curve: tuple[tuple[int, float], ...]
    held_out: int
    expected_gain: float | None
    advice: Advice


def sizes(labels: int, *, least: int = 10) -> list[int]:
    """How many labels to learn from at each point of a curve: halves, and halves of halves."""
    found = [labels]
    while found[-1] // 2 >= least and len(found) < 6:
        found.append(found[-1] // 2)
    return found[::-1]


def advise(curve: Sequence[tuple[int, float]], held_out: int) -> Stopping:
    """Stop when the last doubling brought little and the next would bring less than a point of macro F1.

    Each doubling is expected to bring the same share of what the one before brought, as curves that follow a
    power law do (Figueroa et al. 2012).
    """
    made = tuple(curve)
    if held_out < LEAST_HELD_OUT or len(made) < 3:
        return Stopping(curve=made, held_out=held_out, expected_gain=None, advice="too_few")
    before, last = made[-2][1] - made[-3][1], made[-1][1] - made[-2][1]
    share = min(1.0, max(0.0, last / before)) if before > 0 else 0.5
    gain = max(0.0, last) * share
    is_flat = gain < _ENOUGH and last < 2 * _ENOUGH
    return Stopping(
        curve=made, held_out=held_out, expected_gain=round(gain, 4), advice="stop" if is_flat else "go_on"
    )
