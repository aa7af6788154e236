"""What an adapter adds to a row behind a matrix: through A to few numbers, and through B to the outputs.

Each row has the address of its adapter's table, or 0. Rank is padded to panels: zeros add nothing. Kernels
are those of float32, which is the first of the formats.
"""

from __future__ import annotations

from tunesmith.serve.native.compiler import compiled
from tunesmith.serve.native.intrinsics import whole
from tunesmith.serve.native.panels import multiply
from tunesmith.serve.native.rows import clear
from tunesmith.serve.native.slots import COLUMNS, MATRIX, PAIR, Pair, Slot


@compiled
def pair_of(row: int, matrix: int, table: int) -> int:
    """The entry of a row's adapter for a matrix, or 0 where it has none."""
    given = whole(table, Slot.ADAPTERS)
    if given == 0:
        return 0
    adapter = whole(given, row)
    number = (matrix - whole(table, Slot.MATRICES)) // (8 * MATRIX)
    return adapter + 8 * number * PAIR if adapter else 0


@compiled
def low_of(number: int, place: int, table: int) -> int:
    """Where the few numbers of a row are; copies of rows are made of few rows only."""
    line = 2 * number * whole(table, Slot.THREADS) + place
    return whole(table, Slot.LOW) + 4 * line * whole(table, Slot.LOW_STRIDE)


@compiled
def narrow(x: int, size: int, row: int, place: int, number: int, matrix: int, table: int) -> None:
    """Put a row through A, if it has an adapter."""
    pair = pair_of(row, matrix, table)
    if pair:
        panels, low = whole(pair, Pair.PANELS), low_of(number, place, table)
        clear(low, 0, panels * COLUMNS)
        multiply(whole(pair, Pair.A), panels, size, x, 0, low, 0, 1, whole(table, Slot.FORMATS))


@compiled
def widen(number: int, rows: int, matrix: int, panel: int, out: int, stride: int, table: int) -> None:
    """Add to one panel of the outputs what B makes of the few numbers of each row."""
    if whole(table, Slot.ADAPTERS) == 0:
        return
    for row in range(rows):
        pair = pair_of(row, matrix, table)
        if pair:
            depth = whole(pair, Pair.PANELS) * COLUMNS
            b = whole(pair, Pair.B) + 4 * panel * depth * COLUMNS
            low, to = low_of(number, row, table), out + 4 * row * stride
            multiply(b, 1 if depth else 0, depth, low, 0, to, 0, 1, whole(table, Slot.FORMATS))
