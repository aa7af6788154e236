"""Attention over pages: keys and values are put down as panels of weights, and the same kernels multiply."""

from __future__ import annotations

from tunesmith.serve.native.compiler import compiled
from tunesmith.serve.native.intrinsics import add, get, nearest, put, put_byte, put_word, whole
from tunesmith.serve.native.meeting import taken_of
from tunesmith.serve.native.operands import copy, largest, rounded
from tunesmith.serve.native.panels import multiply
from tunesmith.serve.native.rows import clear, rms_norm, rotate, softmax
from tunesmith.serve.native.slots import BLOCK, COLUMNS, PAGE, Kind, Slot


@compiled
def remember(thread: int, layer: int, table: int) -> None:
    """Turn queries and keys to their positions; put keys and values of the new rows into their pages.

    A page of a head is one thread's: its tokens share lines of memory, which two would take from each other.
    """
    threads, kv_heads = whole(table, Slot.THREADS), whole(table, Slot.KV_HEADS)
    item = 0
    for part in range(whole(table, Slot.SEGMENTS)):
        first = whole(whole(table, Slot.PARTS), 2 * part)
        end = first + whole(whole(table, Slot.PARTS), 2 * part + 1)
        pages = whole(table, Slot.TABLES) + 8 * part * whole(table, Slot.TABLES_STRIDE)
        while first < end:
            last = min(end, first + PAGE - whole(whole(table, Slot.POSITIONS), first) % PAGE)
            for head in range(kv_heads):
                if item % threads == thread:
                    for row in range(first, last):
                        _remember_head(layer, head, row, pages, table)
                item += 1
            first = last


@compiled
def _remember_head(layer: int, head: int, row: int, pages: int, table: int) -> None:
    size, heads, kv_heads = whole(table, Slot.HEAD), whole(table, Slot.HEADS), whole(table, Slot.KV_HEADS)
    position = whole(whole(table, Slot.POSITIONS), row)
    mixed = whole(table, Slot.MIXED) + 4 * row * whole(table, Slot.MIXED_STRIDE)
    group = heads // kv_heads
    for query in range(head * group, (head + 1) * group):
        q = mixed + 4 * query * size
        _turn(q, layer, 0, position, table)
        for i in range(size):
            put(q, i, get(q, i) * get(table, 2 * Slot.SCALE))
    k = mixed + 4 * (heads + head) * size
    v = k + 4 * kv_heads * size
    _turn(k, layer, 1, position, table)
    page, place = whole(pages, position // PAGE), position % PAGE
    where = (layer * whole(table, Slot.PAGES) + page) * kv_heads + head
    padded = (size + COLUMNS - 1) // COLUMNS * COLUMNS
    number = _number(table)
    keys = whole(table, Slot.KEYS) + number * (where * PAGE + place // COLUMNS * COLUMNS) * size
    values = whole(table, Slot.VALUES) + number * where * PAGE * padded
    if number == 1:
        _shrink(k, size, whole(table, Slot.KEY_SCALES) + 4 * (where * PAGE + place))
        _shrink(v, size, whole(table, Slot.VALUE_SCALES) + 4 * (where * PAGE + place))
    for i in range(size):
        _keep(keys, place % COLUMNS, i, get(k, i), number)
        _keep(values + number * (i // COLUMNS) * PAGE * COLUMNS, i % COLUMNS, place, get(v, i), number)


@compiled
def _number(table: int) -> int:
    """The bytes of a number that is remembered, 4, 2 or 1."""
    return whole(whole(table, Slot.MEMORY), Kind.BITS) // (8 * COLUMNS)


@compiled
def _shrink(x: int, size: int, scale: int) -> None:
    """Numbers up to 127, and their scale."""
    peak = largest(x, 0, size)
    inverse = 127.0 / peak if peak > 0.0 else 0.0
    for i in range(size):
        put(x, i, get(x, i) * inverse)
    put(scale, 0, peak / 127.0)


@compiled
def _keep(panel: int, column: int, depth: int, value: float, number: int) -> None:
    """Put down one number of a panel: float32, bytes, or bfloat16 with two of depth beside each other."""
    if number == 4:
        put(panel, depth * COLUMNS + column, value)
    elif number == 1:
        put_byte(panel, depth * COLUMNS + column, int(nearest(value)))
    else:
        put_word(panel, (depth // 2 * COLUMNS + column) * 2 + depth % 2, rounded(value))


@compiled
def _turn(x: int, layer: int, which: int, position: int, table: int) -> None:
    size = whole(table, Slot.HEAD)
    half = size // 2
    if whole(table, Slot.HEADED):
        weight = whole(table, Slot.HEAD_NORMS) + 4 * (2 * layer + which) * size
        rms_norm(x, size, weight, get(table, 2 * Slot.EPS), x)
    turns = 4 * position * half
    rotate(x, half, whole(table, Slot.COS) + turns, whole(table, Slot.SIN) + turns)


@compiled
def _scaled(scores: int, stride: int, rows: int, scales: int) -> None:
    """The scores of a page, times what the bytes of each token were divided by."""
    for row in range(rows):
        for i in range(PAGE):
            put(scores, row * stride + i, get(scores, row * stride + i) * get(scales, i))


@compiled
def attend(thread: int, layer: int, phase: int, table: int) -> None:
    """What every new row sees of its sequence. Threads take heads and blocks of rows as they are free."""
    threads, heads, kv_heads = (
        whole(table, Slot.THREADS), whole(table, Slot.HEADS), whole(table, Slot.KV_HEADS)
    )  # fmt: skip
    parts, taken = whole(table, Slot.SEGMENTS), taken_of(phase, table)
    item, mine = 0, add(taken, 1)
    for part in range(parts):
        first = whole(whole(table, Slot.PARTS), 2 * part)
        end = first + whole(whole(table, Slot.PARTS), 2 * part + 1)
        pages = whole(table, Slot.TABLES) + 8 * part * whole(table, Slot.TABLES_STRIDE)
        # Heads that share keys go together, unless there is too little to share out.
        alone = end - first == 1 and parts * kv_heads < 4 * threads
        together = 1 if alone else heads // kv_heads
        for begin in range(first, end, BLOCK):
            for head in range(0, heads, together):
                if item == mine:
                    _block(thread, layer, head, together, begin, min(begin + BLOCK, end), pages, table)
                    mine = add(taken, 1)
                item += 1


@compiled
def _block(
    thread: int, layer: int, head: int, together: int, begin: int, end: int, pages: int, table: int
) -> None:
    """Rows `begin` to `end` of one sequence, and heads that share keys."""
    size, beside = whole(table, Slot.HEAD), thread * whole(table, Slot.BESIDE)
    panels = (size + COLUMNS - 1) // COLUMNS
    rows, positions = (end - begin) * together, whole(table, Slot.POSITIONS)
    queries = whole(table, Slot.QUERIES) + 4 * beside * size
    stride = whole(table, Slot.SCORES_STRIDE)
    scores = whole(table, Slot.SCORES) + 4 * beside * stride
    wide = whole(table, Slot.MIX_STRIDE)
    mix = whole(table, Slot.MIX) + 4 * beside * wide
    kv_heads = whole(table, Slot.KV_HEADS)
    kv_head = head // (whole(table, Slot.HEADS) // kv_heads)
    window = whole(whole(table, Slot.WINDOWS), layer)
    start = max(0, whole(positions, begin) - window + 1) // PAGE
    last = whole(positions, end - 1) // PAGE + 1
    for row in range(begin, end):
        mixed = whole(table, Slot.MIXED) + 4 * row * whole(table, Slot.MIXED_STRIDE)
        copy(mixed + 4 * head * size, together * size, queries + 4 * (row - begin) * together * size)
    for row in range(rows):
        clear(scores + 4 * row * stride, start * PAGE, last * PAGE)
        clear(mix + 4 * row * wide, 0, wide)
    base, number, kernels = layer * whole(table, Slot.PAGES), _number(table), whole(table, Slot.MEMORY)
    for page in range(start, last):
        where = (base + whole(pages, page)) * kv_heads + kv_head
        keys = whole(table, Slot.KEYS) + number * where * PAGE * size
        multiply(keys, PAGE // COLUMNS, size, queries, size, scores + 4 * page * PAGE, stride, rows, kernels)
        if number == 1:
            scales = whole(table, Slot.KEY_SCALES) + 4 * where * PAGE
            _scaled(scores + 4 * page * PAGE, stride, rows, scales)
    for row in range(rows):
        position = whole(positions, begin + row // together)
        see = max(0, position - window + 1) - start * PAGE
        softmax(scores + 4 * (row * stride + start * PAGE), see, position + 1 - start * PAGE,
                (last - start) * PAGE)  # fmt: skip
    for page in range(start, last):
        where = (base + whole(pages, page)) * kv_heads + kv_head
        values = whole(table, Slot.VALUES) + number * where * PAGE * panels * COLUMNS
        if number == 1:
            scales = whole(table, Slot.VALUE_SCALES) + 4 * where * PAGE
            _scaled(scores + 4 * page * PAGE, stride, rows, scales)
        multiply(values, panels, PAGE, scores + 4 * page * PAGE, stride, mix, wide, rows, kernels)
    width = whole(table, Slot.HEADS) * size
    for row in range(rows):
        to = (begin + row // together) * width + (head + row % together) * size
        copy(mix + 4 * row * wide, size, whole(table, Slot.ATTENDED) + 4 * to)
