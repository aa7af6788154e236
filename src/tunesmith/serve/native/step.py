"""One step of the whole model: rows in, logits of some of them out. All threads run it together."""

from __future__ import annotations

from tunesmith.serve.native.attention import attend, remember
from tunesmith.serve.native.compiler import compiled
from tunesmith.serve.native.intrinsics import get, whole
from tunesmith.serve.native.lora import narrow
from tunesmith.serve.native.meeting import wait
from tunesmith.serve.native.operands import product, write
from tunesmith.serve.native.rows import gelu_gated, gelu_plain, layer_norm, rms_norm, silu_gated
from tunesmith.serve.native.slots import (
    DOWN,
    GELU_GATED,
    MATRIX,
    OUTPUT,
    QKV,
    SILU_GATED,
    UP,
    Slot,
)

_NORMED, _ATTENDED, _GATED = range(3)


@compiled
def step(thread: int, table: int) -> None:
    """Read the rows of X; put the logits of those that are asked into LOGITS."""
    x, x_stride = whole(table, Slot.X), whole(table, Slot.X_STRIDE)
    mixed, mixed_stride = whole(table, Slot.MIXED), whole(table, Slot.MIXED_STRIDE)
    up, up_stride = whole(table, Slot.UP), whole(table, Slot.UP_STRIDE)
    for layer in range(whole(table, Slot.LAYERS)):
        _map(thread, _NORMED, 2 * layer, layer, QKV, mixed, mixed_stride, True, table)
        remember(thread, layer, table)
        wait(thread, table)
        attend(thread, layer, 4 * whole(table, Slot.LAYERS) + 1 + layer, table)
        wait(thread, table)
        _map(thread, _ATTENDED, 0, layer, OUTPUT, x, x_stride, False, table)
        _map(thread, _NORMED, 2 * layer + 1, layer, UP, up, up_stride, True, table)
        _map(thread, _GATED, 0, layer, DOWN, x, x_stride, False, table)
    _head(thread, table)


@compiled
def matrix_of(layer: int, which: int, table: int) -> int:
    """A row of the table of matrices."""
    return whole(table, Slot.MATRICES) + 8 * (4 * layer + which) * MATRIX


@compiled
def _map(
    thread: int, source: int, norm: int, layer: int, which: int, out: int, stride: int, fresh: bool,
    table: int,
) -> None:  # fmt: skip
    """Every row through one matrix, into `out` or on to what is there."""
    threads, rows = whole(table, Slot.THREADS), whole(table, Slot.ROWS)
    matrix = matrix_of(layer, which, table)
    # Few rows are prepared by every thread for itself, which costs less than waiting for each other.
    few = rows < 2 * threads
    number = thread if few else 0
    first = 0 if few else rows * thread // threads
    end = rows if few else rows * (thread + 1) // threads
    for row in range(first, end):
        _prepare(thread, source, norm, row, row, number, matrix, table)
    if not few:
        wait(thread, table)
    product(thread, number, rows, matrix, 4 * layer + which, out, stride, fresh, table)
    wait(thread, table)


@compiled
def _prepare(
    thread: int, source: int, norm: int, row: int, place: int, number: int, matrix: int, table: int
) -> None:
    """One row as the kernels of a matrix read it."""
    found = whole(table, Slot.ROW) + 4 * thread * whole(table, Slot.ROW_STRIDE)
    size = whole(table, Slot.INNER)
    if source == _NORMED:
        size = whole(table, Slot.HIDDEN)
        _normed(whole(table, Slot.X) + 4 * row * whole(table, Slot.X_STRIDE), size, norm, found, table)
    elif source == _ATTENDED:
        size = whole(table, Slot.HEADS) * whole(table, Slot.HEAD)
        found = whole(table, Slot.ATTENDED) + 4 * row * size
    else:
        _activated(whole(table, Slot.UP) + 4 * row * whole(table, Slot.UP_STRIDE), size, found, table)
    write(found, size, matrix, number, place, table)
    narrow(found, size, row, place, number, matrix, table)


@compiled
def _activated(x: int, size: int, out: int, table: int) -> None:
    kind = whole(table, Slot.ACTIVATION)
    if kind == SILU_GATED:
        silu_gated(x, size, out)
    elif kind == GELU_GATED:
        gelu_gated(x, size, out)
    else:
        gelu_plain(x, size, out)


@compiled
def _normed(x: int, size: int, norm: int, out: int, table: int) -> None:
    weight = whole(table, Slot.NORMS) + 4 * norm * size
    if whole(table, Slot.LAYERED):
        bias = whole(table, Slot.NORM_BIASES) + 4 * norm * size
        layer_norm(x, size, weight, bias, get(table, 2 * Slot.EPS), out)
    else:
        rms_norm(x, size, weight, get(table, 2 * Slot.EPS), out)


@compiled
def _head(thread: int, table: int) -> None:
    """Logits of the rows that are asked."""
    threads, asked, layers = (
        whole(table, Slot.THREADS), whole(table, Slot.ASKED), whole(table, Slot.LAYERS)
    )  # fmt: skip
    matrix = matrix_of(layers, 0, table)
    for place in range(asked * thread // threads, asked * (thread + 1) // threads):
        row = whole(whole(table, Slot.ASKED_ROWS), place)
        _prepare(thread, _NORMED, 2 * layers, row, place, 0, matrix, table)
    wait(thread, table)
    out, stride = whole(table, Slot.LOGITS), whole(table, Slot.LOGITS_STRIDE)
    product(thread, 0, asked, matrix, 4 * layers, out, stride, True, table)
    wait(thread, table)
