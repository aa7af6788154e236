"""Which stretches of two lists are the same: the differences between a text and what became of it.

Short stretches are compared in full (Ratcliff and Obershelp, by `difflib`), in time that grows with their
square or worse. Long ones are divided first where a few items in a row stand once in both, as patience diff
does with lines.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

Edge = tuple[int, int, int, int]
"""`old[a:b]` became `new[c:d]`."""

# Of so many pairs of items at most all are compared: under a second even where hardly anything differs from
# anything else, as in a line of hyphens.
_PAIRS = 90_000
# An anchor is so many items in a row that stand nowhere else; of anchors near each other one is enough.
_ANCHOR, _WINDOW = 4, 100
# What is still too long when it has been divided so often is taken as replaced.
_DEPTH = 4


def aligned(old: Sequence[str], new: Sequence[str], depth: int = _DEPTH) -> list[Edge]:
    """Stretches that together are all of both, in order: the same in both, or one in place of the other."""
    head = same_ahead(old, new)
    tail = same_ahead(old[head:][::-1], new[head:][::-1])
    end, new_end = len(old) - tail, len(new) - tail
    edges = [(0, head, 0, head)]
    edges += _shifted(_between(old[head:end], new[head:new_end], depth), head, head)
    edges.append((end, len(old), new_end, len(new)))
    return [edge for edge in edges if edge[0] < edge[1] or edge[2] < edge[3]]


def same_ahead(one: Sequence[str], other: Sequence[str]) -> int:
    """How many items from the front are the same."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _between(old: Sequence[str], new: Sequence[str], depth: int) -> list[Edge]:
    if len(old) * len(new) <= _PAIRS:
        opcodes = SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes()
        return [(a, b, c, d) for _, a, b, c, d in opcodes]
    places = _anchors(old, new) if depth else []
    if not places:
        return [(0, len(old), 0, len(new))]
    edges: list[Edge] = []
    start, new_start = 0, 0
    for end, new_end in [*places, (len(old), len(new))]:
        part = aligned(old[start:end], new[new_start:new_end], depth - 1)
        edges += _shifted(part, start, new_start)
        start, new_start = end, new_end
    return edges


def _shifted(edges: Iterable[Edge], by: int, new_by: int) -> list[Edge]:
    return [(a + by, b + by, c + new_by, d + new_by) for a, b, c, d in edges]


def _anchors(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Where the same begins in both, in an order that both have."""
    there = _once(new)
    pairs = [(at, there[run]) for run, at in _once(old).items() if run in there]
    chosen: list[tuple[int, int]] = []
    last = 0
    for at, place in _rising(pairs):
        if at - last >= _WINDOW:
            chosen.append((at, place))
            last = at
    return chosen


def _once(items: Sequence[str]) -> dict[tuple[str, ...], int]:
    """Runs of items that stand in one place only, in order."""
    seen: dict[tuple[str, ...], int] = {}
    for at in range(len(items) - _ANCHOR + 1):
        run = tuple(items[at : at + _ANCHOR])
        seen[run] = -1 if run in seen else at
    return {run: at for run, at in seen.items() if at >= 0}


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of pairs, whose first numbers rise, in which the second ones rise, too."""
    lowest: list[int] = []  # the least second number in which a rising row of each length ends
    ends: list[int] = []  # which pair that is
    before: list[int] = []
    for at, (_, place) in enumerate(pairs):
        length = bisect_left(lowest, place)
        before.append(ends[length - 1] if length else -1)
        lowest[length : length + 1] = [place]
        ends[length : length + 1] = [at]
    chosen, at = [], ends[-1] if ends else -1
    while at >= 0:
        chosen.append(pairs[at])
        at = before[at]
    return chosen[::-1]
