"""Rows of activations in the numbers that a kernel multiplies, and matrix products over panels of weights."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import carray
from numpy.typing import NDArray

from tunesmith.serve.native.formats import Activations, Format
from tunesmith.serve.native.intrinsics import bits, call, from_bits, nearest, pointer
from tunesmith.serve.native.jit import compiled, reordered

COLUMNS = 16
FLOATS, HALVES, WORDS, BYTES = range(4)
CODES: dict[Activations, int] = {"float32": FLOATS, "bfloat16": HALVES, "int16": WORDS, "int8": BYTES}
_F = np.float32

# Columns of the table of matrices.
WEIGHTS, SCALES, FACTORS, BIASES, PANELS, DEPTH, FORMAT = range(7)
FIELDS = 7
# Columns of the table of formats; the addresses of kernels by their number of rows follow.
CODE, GROUP, OFFSET, PANEL_BITS, ROWS, KERNELS = range(6)


class Operands(NamedTuple):
    """Rows as kernels read them: [copies, rows, numbers] of each kind; of most kinds there are none.

    `sides` holds scale and correction of each group of a row: [copies, rows, groups, 2].
    """

    floats: NDArray[np.float32]
    halves: NDArray[np.uint16]
    words: NDArray[np.int16]
    bytes: NDArray[np.int8]
    sides: NDArray[np.float32]


def operands(kinds: set[Format], copies: int, rows: int, depth: int) -> Operands:
    """Room for rows of up to `depth` numbers in the kinds that these formats want."""
    wanted = {kind.activations for kind in kinds}
    groups = max((depth // kind.group + 1 for kind in kinds if kind.group), default=1)

    def shape(kind: Activations) -> tuple[int, int, int]:
        return (copies, rows, depth + 64) if kind in wanted else (1, 1, 1)

    return Operands(
        floats=np.zeros(shape("float32"), np.float32),
        halves=np.zeros(shape("bfloat16"), np.uint16),
        words=np.zeros(shape("int16"), np.int16),
        bytes=np.zeros(shape("int8"), np.int8),
        sides=np.zeros((copies, rows, groups, 2), np.float32),
    )


@compiled
def rounded(x: float) -> int:
    """The nearest bfloat16 as its 16 bits; of two the even one."""
    b = bits(x)
    return np.uint16((b + np.uint32(0x7FFF) + ((b >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16))


@reordered
def largest(x: NDArray[np.float32], first: int, end: int) -> float:
    """The largest absolute value of `x[first:end]`."""
    found = _F(0)
    for i in range(first, end):
        found = max(found, abs(x[i]))
    return found


@compiled
def write(
    x: NDArray[np.float32], size: int, matrix: NDArray[np.int64], formats: NDArray[np.int64],
    copy: int, row: int, into: Operands,
) -> None:  # fmt: skip
    """Put the first `size` numbers of `x` where the kernels of a matrix read them, zeros behind."""
    kind = formats[matrix[FORMAT]]
    depth = matrix[DEPTH]
    if kind[CODE] == FLOATS:
        into.floats[copy, row, :size] = x[:size]
        into.floats[copy, row, size:depth] = _F(0)
    elif kind[CODE] == HALVES:
        for i in range(size):
            into.halves[copy, row, i] = rounded(x[i])
        into.halves[copy, row, size:depth] = np.uint16(0)
    elif kind[CODE] == WORDS:
        _quantise(x, size, depth, kind[GROUP], _F(32767), into.words[copy, row], into.sides[copy, row])
    else:
        _quantise(x, size, depth, kind[GROUP], _F(127), into.bytes[copy, row], into.sides[copy, row])
        _correct(into.bytes[copy, row], depth, kind[GROUP], kind[OFFSET], into.sides[copy, row])


@compiled
def _quantise(
    x: NDArray[np.float32], size: int, depth: int, group: int, most: float,
    out: NDArray[np.int16] | NDArray[np.int8], sides: NDArray[np.float32],
) -> None:  # fmt: skip
    """Whole numbers and their scale, a group at a time."""
    for g in range(depth // group):
        first, end = g * group, min(g * group + group, size)
        peak = largest(x, first, end)
        inverse = most / peak if peak > 0 else _F(0)
        for i in range(first, end):
            out[i] = np.int32(nearest(x[i] * inverse))
        out[max(first, end) : first + group] = 0
        sides[g, 0] = peak / most


@compiled
def _correct(
    x: NDArray[np.int8], depth: int, group: int, offset: int, sides: NDArray[np.float32]
) -> None:
    """What takes the offset of the weights off again: where the sums of a group begin."""
    for g in range(depth // group):
        total = np.int32(0)
        for i in range(g * group, g * group + group):
            total += np.int32(x[i])
        sides[g, 1] = from_bits(np.uint32(-np.int32(offset) * total))


@compiled
def product(
    matrix: NDArray[np.int64], formats: NDArray[np.int64], x: Operands, copy: int, rows: int,
    first: int, end: int, tile: NDArray[np.float32], out: NDArray[np.float32], fresh: bool,
) -> None:  # fmt: skip
    """`out[:rows] = x @ matrix` over the panels `first` to `end`; added to what was there unless `fresh`."""
    kind = formats[matrix[FORMAT]]
    most = kind[ROWS]
    base, stride = _place(kind[CODE], x, copy)
    sides, sides_stride = x.sides[copy].ctypes.data, x.sides.strides[1]
    step = matrix[DEPTH] * kind[PANEL_BITS] // 8
    scales = matrix[DEPTH] // kind[GROUP] * 32 if kind[GROUP] else 0
    for panel in range(first, end):
        weights = matrix[WEIGHTS] + panel * step
        row = 0
        while row < rows:
            count = min(most, rows - row)
            tile[:count] = _F(0)
            call(
                kind[KERNELS + count],
                (weights, matrix[SCALES] + panel * scales, base + row * stride, stride,
                 sides + row * sides_stride, sides_stride, matrix[DEPTH],
                 np.int64(tile.ctypes.data), np.int64(tile.strides[0])),
            )  # fmt: skip
            _finish(matrix, panel, tile, row, count, out, fresh)
            row += count


@compiled
def _place(code: int, x: Operands, copy: int) -> tuple[int, int]:
    """Where the rows begin, and how far apart they are, in bytes."""
    if code == FLOATS:
        return np.int64(x.floats[copy].ctypes.data), np.int64(x.floats.strides[1])
    if code == HALVES:
        return np.int64(x.halves[copy].ctypes.data), np.int64(x.halves.strides[1])
    if code == WORDS:
        return np.int64(x.words[copy].ctypes.data), np.int64(x.words.strides[1])
    return np.int64(x.bytes[copy].ctypes.data), np.int64(x.bytes.strides[1])


@compiled
def _finish(
    matrix: NDArray[np.int64], panel: int, tile: NDArray[np.float32], row: int, count: int,
    out: NDArray[np.float32], fresh: bool,
) -> None:  # fmt: skip
    """Scale and bias of each column, and into the outputs."""
    begin = panel * COLUMNS
    factors = carray(pointer(matrix[FACTORS] + 4 * begin), COLUMNS)
    biases = carray(pointer(matrix[BIASES] + 4 * begin), COLUMNS)
    for r in range(count):
        before = out[row + r, begin : begin + COLUMNS]
        if fresh:
            before[:] = _F(0)
        for j in range(COLUMNS):
            before[j] += tile[r, j] * factors[j] + biases[j]
