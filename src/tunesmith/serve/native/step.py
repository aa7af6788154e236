"""One step of the whole model: rows in, logits of some of them out. All threads run it together."""

from __future__ import annotations

import numpy as np

from tunesmith.serve.native.attention import attend, remember
from tunesmith.serve.native.intrinsics import add, give_way, load, relax, store
from tunesmith.serve.native.jit import compiled
from tunesmith.serve.native.operands import PANELS, product, write
from tunesmith.serve.native.plan import GELU_GATED, SILU_GATED
from tunesmith.serve.native.rows import gelu_gated, gelu_plain, layer_norm, rms_norm, silu_gated
from tunesmith.serve.native.state import (
    DOWN,
    OUTPUT,
    QKV,
    UP,
    Batch,
    Floats,
    Ints,
    Memory,
    Model,
    Work,
)

# Numbers that threads share, each in a line of memory of its own: [line, 8].
BEGUN, ARRIVED, CLOSED, FIRST = range(4)  # behind them, two lines for each thread:
SPINNING, PASSED = range(2)

_PATIENCE = 2000  # looks before a core is offered to others
_NORMED, _ATTENDED, _GATED = range(3)


@compiled
def line(control: Ints, number: int) -> int:
    """The address of one of the shared numbers."""
    return np.int64(control.ctypes.data) + 64 * number


@compiled
def own(thread: int, which: int) -> int:
    """The line of one of a thread's own numbers."""
    return FIRST + 2 * thread + which


@compiled
def wait(thread: int, threads: int, control: Ints) -> None:
    """Until all threads are here, and all that they wrote is seen."""
    target = control[own(thread, PASSED), 0] + threads
    control[own(thread, PASSED), 0] = target
    add(line(control, ARRIVED), 1)
    looks = 0
    while load(line(control, ARRIVED)) < target:
        relax()
        looks += 1
        if looks % _PATIENCE == 0:
            give_way()


@compiled
def step(
    thread: int, model: Model, memory: Memory, work: Work, batch: Batch, control: Ints
) -> None:
    """Read the rows of `work.x`; put the logits of those that are asked into `work.logits`."""
    threads = work.threads
    for layer in range(model.layers):
        matrices = model.matrices[layer]
        _map(thread, _NORMED, 2 * layer, matrices[QKV], work.mixed, True, model, work, batch, control)
        remember(thread, layer, model, memory, work, batch)
        wait(thread, threads, control)
        attend(thread, layer, model, memory, work, batch)
        wait(thread, threads, control)
        _map(thread, _ATTENDED, 0, matrices[OUTPUT], work.x, False, model, work, batch, control)
        _map(thread, _NORMED, 2 * layer + 1, matrices[UP], work.inner, True, model, work, batch, control)
        _map(thread, _GATED, 0, matrices[DOWN], work.x, False, model, work, batch, control)
    _head(thread, model, work, batch, control)


@compiled
def _map(
    thread: int, source: int, norm: int, matrix: Ints, out: Floats, fresh: bool,
    model: Model, work: Work, batch: Batch, control: Ints,
) -> None:  # fmt: skip
    """Every row through one matrix, into `out` or on to what is there."""
    threads, rows = work.threads, batch.counts[0]
    # Few rows are prepared by every thread for itself, which costs less than waiting for each other.
    few = rows < 2 * threads
    copy = thread if few else 0
    first, end = (0, rows) if few else (rows * thread // threads, rows * (thread + 1) // threads)
    for row in range(first, end):
        _prepare(thread, source, norm, row, row, copy, matrix, model, work)
    if not few:
        wait(thread, threads, control)
    panels = matrix[PANELS]
    product(matrix, model.formats, work.operands, copy, rows, panels * thread // threads,
            panels * (thread + 1) // threads, work.tile[thread], out, fresh)  # fmt: skip
    wait(thread, threads, control)


@compiled
def _prepare(
    thread: int, source: int, norm: int, row: int, place: int, copy: int, matrix: Ints,
    model: Model, work: Work,
) -> None:  # fmt: skip
    """One row as the kernels of a matrix read it."""
    if source == _ATTENDED:
        write(work.attended[row], model.heads * model.head, matrix, model.formats, copy, place, work.operands)
        return
    out, size = work.row[thread], model.inner
    if source == _NORMED:
        size = model.hidden
        _normed(work.x[row], norm, model, out)
    elif model.activation == SILU_GATED:
        silu_gated(work.inner[row], size, out)
    elif model.activation == GELU_GATED:
        gelu_gated(work.inner[row], size, out)
    else:
        gelu_plain(work.inner[row], size, out)
    write(out, size, matrix, model.formats, copy, place, work.operands)


@compiled
def _normed(x: Floats, norm: int, model: Model, out: Floats) -> None:
    if model.layered:
        layer_norm(x, model.norms[norm], model.norm_biases[norm], model.eps, out)
    else:
        rms_norm(x, model.norms[norm], model.eps, out)


@compiled
def _head(thread: int, model: Model, work: Work, batch: Batch, control: Ints) -> None:
    """Logits of the rows that are asked."""
    threads, asked = work.threads, batch.counts[2]
    matrix = model.matrices[model.layers, 0]
    for place in range(asked * thread // threads, asked * (thread + 1) // threads):
        _prepare(thread, _NORMED, 2 * model.layers, batch.asked[place], place, 0, matrix, model, work)
    wait(thread, threads, control)
    panels = matrix[PANELS]
    product(matrix, model.formats, work.operands, 0, asked, panels * thread // threads,
            panels * (thread + 1) // threads, work.tile[thread], work.logits, True)  # fmt: skip
    wait(thread, threads, control)


@compiled
def run(
    thread: int, patience: int, model: Model, memory: Memory, work: Work, batch: Batch, control: Ints
) -> None:
    """The first thread makes the step that was begun; the others every one, until none comes for a while."""
    if thread == 0:
        step(thread, model, memory, work, batch, control)
        return
    while _next(thread, patience, control):
        step(thread, model, memory, work, batch, control)


@compiled
def _next(thread: int, patience: int, control: Ints) -> bool:
    """Whether another step begins; says beforehand when it stops looking."""
    looks = 0
    while True:
        if load(line(control, CLOSED)):
            return False
        if load(line(control, BEGUN)) > control[own(thread, PASSED), 1]:
            control[own(thread, PASSED), 1] += 1
            store(line(control, own(thread, SPINNING)), 1)
            return True
        if looks == patience:
            store(line(control, own(thread, SPINNING)), 0)
        if looks > patience:
            return False
        looks += 1
        relax()
        if looks % _PATIENCE == 0:
            give_way()


@compiled
def begin(control: Ints) -> int:
    """Announce a step; returns which threads sleep, as bits, and takes them to be awake."""
    add(line(control, BEGUN), 1)
    asleep = 0
    for thread in range(1, (control.shape[0] - FIRST) // 2):
        if not load(line(control, own(thread, SPINNING))):
            asleep |= 1 << thread
    return asleep
