"""The table that compiled code reads, and the arrays whose addresses are in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tunesmith.serve.native import meeting
from tunesmith.serve.native.formats import Activations, Format
from tunesmith.serve.native.isa import Isa
from tunesmith.serve.native.machine import Kernels
from tunesmith.serve.native.plan import Plan
from tunesmith.serve.native.rotary import Rotary, angles
from tunesmith.serve.native.slots import BLOCK, BYTES, FLOATS, HALVES, LINE, PAGE, WORDS, Kind, Matrix, Slot

Arrays = Mapping[str, NDArray[Any]]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_NUMBERS: dict[int, type[np.generic]] = {32: np.float32, 16: np.uint16, 8: np.int8}
_CODES: dict[Activations, int] = {"float32": FLOATS, "bfloat16": HALVES, "int16": WORDS, "int8": BYTES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much there is: rows of a step, rows asked, positions of a sequence, pages of memory, threads."""

    rows: int
    asked: int
    context: int
    pages: int
    threads: int


class Table:
    """Numbers by slot. It keeps the arrays alive whose addresses it holds."""

    def __init__(self) -> None:
        self._numbers = np.zeros(len(Slot), np.int64)
        self._kept: list[NDArray[Any]] = []

    @property
    def address(self) -> int:
        """Where it is."""
        return self._numbers.ctypes.data

    def __setitem__(self, slot: Slot, value: int | NDArray[Any]) -> None:
        if isinstance(value, np.ndarray):
            self._kept.append(value)
            value = value.ctypes.data
        self._numbers[slot] = value

    def put_float(self, slot: Slot, value: float) -> None:
        """A float32, in the lower half of its slot."""
        self._numbers.view(np.float32)[2 * slot] = value


class Arranged(NamedTuple):
    """The arrays that Python writes and reads; logits of two steps in turns."""

    x: Floats
    logits: Floats
    positions: Ints
    parts: Ints
    tables: Ints
    asked: Ints
    taken: Ints
    values: tuple[NDArray[Any], NDArray[Any]]  # with their scales


def aligned(shape: tuple[int, ...], kind: type[np.generic]) -> NDArray[Any]:
    """Zeros that begin at a line of memory."""
    size = int(np.prod(shape)) * np.dtype(kind).itemsize
    block = np.zeros(size + LINE, np.uint8)
    start = -block.ctypes.data % LINE
    return block[start : start + size].view(kind).reshape(shape)


def fill_model(
    table: Table, plan: Plan, turning: Rotary, arrays: Arrays, kinds: Mapping[str, Format],
    memory: Format, kernels: Sequence[Kernels], room: Room,
) -> None:  # fmt: skip
    """Weights and shape."""
    for slot, value in (
        (Slot.LAYERS, plan.layers), (Slot.HIDDEN, plan.hidden), (Slot.HEADS, plan.heads),
        (Slot.KV_HEADS, plan.kv_heads), (Slot.HEAD, plan.head), (Slot.INNER, plan.inner),
        (Slot.ACTIVATION, plan.activation), (Slot.LAYERED, plan.layered), (Slot.HEADED, plan.headed),
    ):  # fmt: skip
        table[slot] = value
    table.put_float(Slot.EPS, plan.eps)
    table.put_float(Slot.SCALE, plan.scale)
    formats = _formats(kernels)
    table[Slot.FORMATS], table[Slot.FORMAT_STRIDE] = formats, formats.shape[1]
    known = [found.format for found in kernels]
    table[Slot.MEMORY] = formats.ctypes.data + formats.strides[0] * known.index(memory)
    table[Slot.MATRICES] = _matrices(plan, arrays, kinds, known)
    table[Slot.NORMS], table[Slot.NORM_BIASES] = arrays["norms"], arrays["norm_biases"]
    table[Slot.HEAD_NORMS] = arrays["head_norms"]
    table[Slot.WINDOWS] = np.array(plan.windows, np.int64)
    table[Slot.COS], table[Slot.SIN] = angles(turning, plan.head, room.context)


def _formats(known: Sequence[Kernels]) -> Ints:
    width = Kind.KERNELS + max(len(kernels.addresses) for kernels in known)
    table = np.zeros((len(known), width), np.int64)
    for row, kernels in zip(table, known, strict=True):
        kind, most = kernels.format, len(kernels.addresses) - 1
        row[: Kind.KERNELS] = _CODES[kind.activations], kind.group, kind.offset, 16 * kind.bits, most
        row[Kind.KERNELS : Kind.KERNELS + most + 1] = kernels.addresses
    return table


def _matrices(plan: Plan, arrays: Arrays, kinds: Mapping[str, Format], known: list[Format]) -> Ints:
    table = np.zeros((plan.layers + 1, 4, len(Matrix)), np.int64)
    for number, matrix in enumerate(plan.matrices):
        parts = [arrays[f"{matrix.name}.{part}"] for part in ("weights", "scales", "factors", "biases")]
        kind = kinds[matrix.name]
        table[number // 4, number % 4] = (
            *(part.ctypes.data for part in parts),
            len(parts[0]),
            kind.depth(matrix.inputs),
            known.index(kind),
        )
    return table


def fill_work(
    table: Table, plan: Plan, kinds: Mapping[str, Format], memory: Format, isa: Isa, room: Room
) -> Arranged:
    """Memory, and room for the rows of a step."""
    threads, rows = room.threads, room.rows
    beside = BLOCK * plan.heads // plan.kv_heads
    # Rows that lie a multiple of a page apart would meet in one place of a cache.
    widths = {matrix.name: _padded(matrix.outputs, 16) + 16 for matrix in plan.matrices}
    head, hidden = _padded(plan.head, 16), _padded(plan.hidden, 16)
    positions = _padded(room.context, PAGE)
    depth = _padded(max(kinds[matrix.name].depth(matrix.inputs) for matrix in plan.matrices), 64)
    row = _padded(max(plan.hidden, plan.inner), 16)
    table[Slot.THREADS], table[Slot.PAGES], table[Slot.BESIDE] = threads, room.pages, beside
    table[Slot.OPERAND_ROWS] = rows
    kept = _NUMBERS[memory.bits]
    scales = (plan.layers, room.pages, plan.kv_heads, PAGE if memory.bits == 8 else 0)
    lines = meeting.FIRST + 2 * threads
    room_of: tuple[tuple[Slot, tuple[int, ...], type[np.generic]], ...] = (
        (Slot.CONTROL, (lines, meeting.LINE), np.int64),
        (Slot.KEYS, (plan.layers, room.pages, plan.kv_heads, PAGE, plan.head), kept),
        (Slot.VALUES, (plan.layers, room.pages, plan.kv_heads, PAGE, head), kept),
        (Slot.KEY_SCALES, scales, np.float32),
        (Slot.VALUE_SCALES, scales, np.float32),
        (Slot.OPERANDS, (threads, rows, 4 * depth + LINE), np.uint8),
        (Slot.SIDES, (threads, rows, depth // 16), np.float32),
        (Slot.MIXED, (rows, widths["0.qkv"]), np.float32),
        (Slot.ATTENDED, (rows, plan.heads * plan.head), np.float32),
        (Slot.UP, (rows, widths["0.up"]), np.float32),
        (Slot.ROW, (threads, row), np.float32),
        (Slot.TILE, (threads, 16 * isa.rows), np.float32),
        (Slot.QUERIES, (threads, beside, plan.head), np.float32),
        (Slot.SCORES, (threads, beside, positions), np.float32),
        (Slot.MIX, (threads, beside, head), np.float32),
    )
    made = {slot: aligned(shape, kind) for slot, shape, kind in room_of}
    for slot, array in made.items():
        table[slot] = array
    for slot, stride in (
        (Slot.X_STRIDE, hidden), (Slot.OPERAND_STRIDE, 4 * depth + LINE), (Slot.SIDES_STRIDE, depth // 16),
        (Slot.MIXED_STRIDE, widths["0.qkv"]), (Slot.UP_STRIDE, widths["0.up"]), (Slot.ROW_STRIDE, row),
        (Slot.TILE_STRIDE, 16 * isa.rows), (Slot.SCORES_STRIDE, positions), (Slot.MIX_STRIDE, head),
        (Slot.LOGITS_STRIDE, widths["head"]), (Slot.TABLES_STRIDE, positions // PAGE),
    ):  # fmt: skip
        table[slot] = stride
    values = made[Slot.VALUES], made[Slot.VALUE_SCALES]
    works = len(plan.matrices) + plan.layers
    return _arranged(table, room, hidden, widths["head"], works, values)


def _arranged(
    table: Table, room: Room, hidden: int, head: int, works: int, values: tuple[NDArray[Any], NDArray[Any]]
) -> Arranged:
    """What Python writes and reads at each step, in its slots."""
    pages = _padded(room.context, PAGE) // PAGE
    arranged = Arranged(
        x=aligned((room.rows, hidden), np.float32),
        logits=aligned((2, room.asked, head), np.float32),
        positions=np.zeros(room.rows, np.int64),
        parts=np.zeros((room.rows, 2), np.int64),
        tables=np.zeros((room.rows, pages), np.int64),
        asked=np.zeros(room.asked, np.int64),
        taken=aligned((works, meeting.LINE), np.int64),
        values=values,
    )
    table[Slot.TAKEN] = arranged.taken
    table[Slot.X], table[Slot.POSITIONS] = arranged.x, arranged.positions
    table[Slot.PARTS], table[Slot.TABLES], table[Slot.ASKED_ROWS] = (
        arranged.parts, arranged.tables, arranged.asked
    )  # fmt: skip
    return arranged


def _padded(count: int, to: int) -> int:
    return -(-count // to) * to
