"""Attention over pages: keys and values are put down as panels of weights, and the same kernels multiply."""

from __future__ import annotations

import numpy as np

from tunesmith.serve.native.intrinsics import call
from tunesmith.serve.native.jit import compiled
from tunesmith.serve.native.operands import COLUMNS, KERNELS, ROWS
from tunesmith.serve.native.rows import rms_norm, rotate, softmax
from tunesmith.serve.native.state import BLOCK, PAGE, Batch, Floats, Ints, Memory, Model, Work

_F = np.float32


@compiled
def remember(thread: int, layer: int, model: Model, memory: Memory, work: Work, batch: Batch) -> None:
    """Turn queries and keys to their positions; put keys and values of the new rows into their pages."""
    item = 0
    for s in range(batch.counts[1]):
        first, count = batch.segments[s]
        for row in range(first, first + count):
            for head in range(model.kv_heads):
                if item % work.threads == thread:
                    _remember_head(layer, head, row, batch.tables[s], model, memory, work, batch)
                item += 1


@compiled
def _remember_head(
    layer: int, head: int, row: int, table: Ints, model: Model, memory: Memory, work: Work, batch: Batch
) -> None:
    size, group = model.head, model.heads // model.kv_heads
    position = batch.positions[row]
    mixed = work.mixed[row]
    for query in range(head * group, (head + 1) * group):
        q = mixed[query * size : (query + 1) * size]
        _turn(q, layer, 0, position, model)
        for i in range(size):
            q[i] *= _F(model.scale)
    begin = (model.heads + head) * size
    k = mixed[begin : begin + size]
    _turn(k, layer, 1, position, model)
    begin += model.kv_heads * size
    page, place = table[position // PAGE], position % PAGE
    keys = memory.keys[layer, page, head, place // COLUMNS]
    values = memory.values[layer, page, head]
    for i in range(size):
        keys[i, place % COLUMNS] = k[i]
        values[i // COLUMNS, place, i % COLUMNS] = mixed[begin + i]


@compiled
def _turn(x: Floats, layer: int, which: int, position: int, model: Model) -> None:
    if model.headed:
        rms_norm(x, model.head_norms[layer, which], model.eps, x)
    rotate(x, model.cos[position], model.sin[position])


@compiled
def attend(thread: int, layer: int, model: Model, memory: Memory, work: Work, batch: Batch) -> None:
    """What every new row sees of its sequence: into `work.attended`. Threads take heads and blocks in turn."""
    group = model.heads // model.kv_heads
    item = 0
    for s in range(batch.counts[1]):
        first, count = batch.segments[s]
        # Heads that share keys go together, unless there is too little to share out.
        alone = count == 1 and batch.counts[1] * model.kv_heads < 4 * work.threads
        together = 1 if alone else group
        for begin in range(first, first + count, BLOCK):
            end = min(begin + BLOCK, first + count)
            for head in range(0, model.heads, together):
                if item % work.threads == thread:
                    _block(thread, layer, head, together, begin, end, batch.tables[s],
                           model, memory, work, batch)  # fmt: skip
                item += 1


@compiled
def _block(
    thread: int, layer: int, head: int, together: int, begin: int, end: int, table: Ints,
    model: Model, memory: Memory, work: Work, batch: Batch,
) -> None:  # fmt: skip
    """Rows `begin` to `end` of one sequence, and heads that share keys."""
    size = model.head
    queries, scores, mix = work.queries[thread], work.scores[thread], work.mix[thread]
    kv_head = head // (model.heads // model.kv_heads)
    rows = (end - begin) * together
    for row in range(begin, end):
        for h in range(together):
            place = (row - begin) * together + h
            queries[place, :size] = work.mixed[row, (head + h) * size : (head + h + 1) * size]
    start = max(0, batch.positions[begin] - model.windows[layer] + 1) // PAGE
    last = batch.positions[end - 1] // PAGE
    scores[:rows, start * PAGE : (last + 1) * PAGE] = _F(0)
    for page in range(start, last + 1):
        _multiply(memory.kernels, memory.keys[layer, table[page], kv_head], queries, 0, scores, page * PAGE,
                  rows, model, PAGE // COLUMNS, size)  # fmt: skip
    for row in range(begin, end):
        see = max(0, batch.positions[row] - model.windows[layer] + 1) - start * PAGE
        for h in range(together):
            seen = scores[(row - begin) * together + h, start * PAGE :]
            softmax(seen, see, batch.positions[row] + 1 - start * PAGE, (last + 1 - start) * PAGE)
    mix[:rows] = _F(0)
    panels = -(-size // COLUMNS)
    for page in range(start, last + 1):
        _multiply(memory.kernels, memory.values[layer, table[page], kv_head], scores, page * PAGE, mix, 0,
                  rows, model, panels, PAGE)  # fmt: skip
    for row in range(begin, end):
        for h in range(together):
            out = work.attended[row, (head + h) * size : (head + h + 1) * size]
            out[:] = mix[(row - begin) * together + h, :size]


@compiled
def _multiply(
    kernels: Ints, panels: Floats, x: Floats, x_first: int, y: Floats, y_first: int, rows: int,
    model: Model, count: int, depth: int,
) -> None:  # fmt: skip
    """`y[:rows, y_first:] += x[:rows, x_first:] @ panels`, over so many panels and a depth."""
    most = kernels[ROWS]
    x_base, x_stride = np.int64(x.ctypes.data) + 4 * x_first, np.int64(x.strides[0])
    y_base, y_stride = np.int64(y.ctypes.data) + 4 * y_first, np.int64(y.strides[0])
    base, step = np.int64(panels.ctypes.data), np.int64(panels.strides[0])
    for panel in range(count):
        for row in range(0, rows, most):
            call(
                kernels[KERNELS + min(most, rows - row)],
                (base + panel * step, 0, x_base + row * x_stride, x_stride, 0, 0, depth,
                 y_base + row * y_stride + 64 * panel, y_stride),
            )  # fmt: skip
