"""Rows of activations in the numbers that kernels multiply, and products with panels of weights."""

from __future__ import annotations

from tunesmith.serve.native.compiler import compiled, reordered
from tunesmith.serve.native.intrinsics import (
    add,
    bits,
    byte,
    call,
    finish,
    from_bits,
    get,
    nearest,
    put,
    put_byte,
    put_word,
    whole,
)
from tunesmith.serve.native.lora import widen
from tunesmith.serve.native.meeting import share, taken_of
from tunesmith.serve.native.rows import clear
from tunesmith.serve.native.slots import BYTES, COLUMNS, FLOATS, HALVES, LINE, WORDS, Kind, Matrix, Slot


@compiled
def rounded(x: float) -> int:
    """The nearest bfloat16 as its 16 bits; of two the even one."""
    b = bits(x)
    return (b + 0x7FFF + ((b >> 16) & 1)) >> 16


@compiled
def copy(x: int, size: int, out: int) -> None:
    """So many float32."""
    for i in range(size):
        put(out, i, get(x, i))


@compiled
def round_all(x: int, size: int, depth: int, out: int) -> None:
    """So many float32 as bfloat16, zeros behind."""
    for i in range(size):
        put_word(out, i, rounded(get(x, i)))
    for i in range(size, depth):
        put_word(out, i, 0)


@reordered
def largest(x: int, first: int, end: int) -> float:
    """The largest absolute value from `first` to `end`."""
    found = 0.0
    for i in range(first, end):
        found = max(found, abs(get(x, i)))
    return found


@compiled
def quantise_words(x: int, size: int, depth: int, group: int, out: int, sides: int) -> None:
    """Whole numbers up to 32767 and their scale, a group at a time."""
    for g in range(depth // group):
        first, end = min(g * group, size), min(g * group + group, size)
        peak = largest(x, first, end)
        inverse = 32767.0 / peak if peak > 0.0 else 0.0
        for i in range(first, end):
            put_word(out, i, int(nearest(get(x, i) * inverse)))
        for i in range(max(first, end), g * group + group):
            put_word(out, i, 0)
        put(sides, 2 * g, peak / 32767.0)


@compiled
def quantise_bytes(x: int, size: int, depth: int, group: int, offset: int, out: int, sides: int) -> None:
    """Whole numbers up to 127, their scale, and what takes the offset of the weights off again."""
    for g in range(depth // group):
        first, end = min(g * group, size), min(g * group + group, size)
        peak = largest(x, first, end)
        inverse = 127.0 / peak if peak > 0.0 else 0.0
        for i in range(first, end):
            put_byte(out, i, int(nearest(get(x, i) * inverse)))
        for i in range(max(first, end), g * group + group):
            put_byte(out, i, 0)
        put(sides, 2 * g, peak / 127.0)
        total = 0
        for i in range(g * group, g * group + group):
            total += byte(out, i)
        put(sides, 2 * g + 1, from_bits(-offset * total))


@compiled
def write(x: int, size: int, matrix: int, number: int, row: int, table: int) -> None:
    """Put a row where the kernels of a matrix read it, zeros behind; `number` is that of the copy."""
    kind = kind_of(matrix, table)
    out = operands(number, table) + row * stride_of(matrix, kind)
    place = number * whole(table, Slot.OPERAND_ROWS) + row
    sides = whole(table, Slot.SIDES) + 4 * place * whole(table, Slot.SIDES_STRIDE)
    code, group, depth = whole(kind, Kind.CODE), whole(kind, Kind.GROUP), whole(matrix, Matrix.DEPTH)
    if code == FLOATS:
        copy(x, size, out)
        clear(out, size, depth)
    elif code == HALVES:
        round_all(x, size, depth, out)
    elif code == WORDS:
        quantise_words(x, size, depth, group, out, sides)
    else:
        quantise_bytes(x, size, depth, group, whole(kind, Kind.OFFSET), out, sides)


@compiled
def operands(number: int, table: int) -> int:
    """Where a copy of the rows begins."""
    size = whole(table, Slot.OPERAND_ROWS) * whole(table, Slot.OPERAND_STRIDE)
    return whole(table, Slot.OPERANDS) + number * size


@compiled
def stride_of(matrix: int, kind: int) -> int:
    """Bytes between rows as a matrix reads them: with a line more, they do not meet in a cache."""
    code = whole(kind, Kind.CODE)
    size = 4 if code == FLOATS else 1 if code == BYTES else 2
    return size * whole(matrix, Matrix.DEPTH) + LINE


@compiled
def kind_of(matrix: int, table: int) -> int:
    """The format of a matrix, in the table of formats."""
    number = whole(matrix, Matrix.FORMAT)
    return whole(table, Slot.FORMATS) + 8 * number * whole(table, Slot.FORMAT_STRIDE)


@compiled
def product(
    thread: int, number: int, rows: int, matrix: int, phase: int, out: int, stride: int, fresh: bool,
    table: int,
) -> None:  # fmt: skip
    """`out = x @ matrix` for one copy of the rows, in panels that this thread takes; added unless `fresh`.

    No panel is a thread's own: what else is added to outputs is added in `_panel`, or behind a barrier.
    """
    panels, taken = whole(matrix, Matrix.PANELS), taken_of(phase, table)
    size = share(panels, table)
    first = add(taken, size)
    while first < panels:
        for panel in range(first, min(first + size, panels)):
            _panel(thread, number, rows, matrix, panel, out + 4 * panel * COLUMNS, stride, fresh, table)
        first = add(taken, size)


@compiled
def _panel(
    thread: int, number: int, rows: int, matrix: int, panel: int, out: int, stride: int, fresh: bool,
    table: int,
) -> None:  # fmt: skip
    kind, depth = kind_of(matrix, table), whole(matrix, Matrix.DEPTH)
    group, most = whole(kind, Kind.GROUP), whole(kind, Kind.ROWS)
    x, x_stride = operands(number, table), stride_of(matrix, kind)
    sides_stride = 4 * whole(table, Slot.SIDES_STRIDE)
    sides = whole(table, Slot.SIDES) + number * whole(table, Slot.OPERAND_ROWS) * sides_stride
    tile = whole(table, Slot.TILE) + 4 * thread * whole(table, Slot.TILE_STRIDE)
    weights = whole(matrix, Matrix.WEIGHTS) + panel * (depth * whole(kind, Kind.BITS) // 8)
    scales = whole(matrix, Matrix.SCALES) + (panel * 2 * COLUMNS * (depth // group) if group else 0)
    factors = whole(matrix, Matrix.FACTORS) + 4 * panel * COLUMNS
    biases = whole(matrix, Matrix.BIASES) + 4 * panel * COLUMNS
    for row in range(0, rows, most):
        count = min(most, rows - row)
        clear(tile, 0, count * COLUMNS)
        call(
            whole(kind, Kind.KERNELS + count),
            (weights, scales, x + row * x_stride, x_stride, sides + row * sides_stride, sides_stride, depth,
             tile, 64),
        )  # fmt: skip
        for place in range(count):
            finish(tile + 64 * place, factors, biases, out + 4 * (row + place) * stride, fresh)
    widen(number, rows, matrix, panel, out, stride, table)
