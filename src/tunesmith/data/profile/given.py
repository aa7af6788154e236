"""What a profile is given beside rows: how tokens are counted, rows found again, and what others found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tunesmith.core.errors import Problem
from tunesmith.data.hygiene.issue import Issue
from tunesmith.data.similarity import Edges


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """How a model counts: its name, the token counts of texts, and how many tokens it reads at once."""

    model: str
    count: Callable[[list[str]], list[int]]
    context: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row as it is shown: where it is from, what it says, and its label if it has one."""

    file: str
    line: int
    text: str
    label: str | None = None


Find = Callable[[Sequence[int]], Sequence[Row]]
"""From row numbers to the rows, in the same order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What others found about the rows: similar pairs by row number, issues, and what could not be used.

    `issues` come the surest first. `dropped` counts rows that never came, by reason; `problems` are what was
    noticed while reading.
    """

    edges: Edges | None = None
    threshold: float = 0.8
    issues: Sequence[Issue] = ()
    dropped: Mapping[str, int] = field(default_factory=dict[str, int])
    problems: Sequence[Problem] = ()
