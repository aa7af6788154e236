"""A packed model, ready to make steps: arrays with their addresses, room to work in, threads.

What comes from outside (ids, positions, pages) is held to its bounds here, before any address is made of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from tunesmith.core.errors import TunesmithError
from tunesmith.serve.native import machine, operands
from tunesmith.serve.native.formats import Format, Weights, format_for
from tunesmith.serve.native.isa import Isa
from tunesmith.serve.native.machine import Kernels
from tunesmith.serve.native.plan import Plan
from tunesmith.serve.native.state import BLOCK, PAGE, Batch, Floats, Ints, Memory, Model, Work
from tunesmith.serve.native.threads import Team

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Tokens of one sequence from a position on; `pages` are those of all its positions.

    `asked` says of which of them the logits are wanted, by their number.
    """

    ids: Sequence[int]
    position: int
    pages: Sequence[int]
    asked: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much there is: rows of a step, rows asked, positions of a sequence, pages of memory, threads."""

    rows: int
    asked: int
    context: int
    pages: int
    threads: int


def formats(plan: Plan, weights: Weights, isa: Isa) -> dict[str, Format]:
    """In which numbers each matrix is kept. The head of a model in int4 has 8 bits: it decides every token."""
    kind = format_for(weights, isa)
    head = format_for("int8", isa) if weights == "int4" else kind
    return {matrix.name: head if matrix.name == "head" else kind for matrix in plan.matrices}


class NativeModel:
    """Computes steps. Not thread-safe: one thread drives it. Close it to end its other threads."""

    def __init__(
        self, plan: Plan, config: Any, arrays: Arrays, kinds: Mapping[str, Format], isa: Isa, room: Room
    ) -> None:
        self.plan, self.room = plan, room
        self._arrays = arrays
        known = list(dict.fromkeys([format_for("float32", isa), *kinds.values()]))
        self._kernels = [machine.compile_kernels(kind, isa) for kind in known]
        table = _format_table(self._kernels)
        depth = max(kinds[matrix.name].depth(matrix.inputs) for matrix in plan.matrices)
        self._model = _model(plan, config, arrays, _matrix_table(plan, arrays, kinds, known), table, room)
        self._memory = _memory(plan, room, table)
        self._work = _work(plan, room, operands.operands(set(known), room.threads, room.rows, depth), isa)
        self._batch = _batch(room)
        self._team = Team(self._model, self._memory, self._work, self._batch)

    def close(self) -> None:
        """End its threads."""
        self._team.close()

    def step(self, reads: Sequence[Read]) -> Floats:
        """Read tokens; the logits that were asked for, [asked, vocabulary], until the next step.

        Raises:
            TunesmithError: N04 for what is out of bounds.
        """
        rows, asked = self._fill(reads)
        ids = np.concatenate([np.asarray(read.ids, np.int64) for read in reads])
        self._work.x[:rows, : self.plan.hidden] = self._arrays["embedding"][ids]
        if self.plan.embedding_factor != 1:
            self._work.x[:rows] *= np.float32(self.plan.embedding_factor)
        if self.plan.positions:
            self._work.x[:rows, : self.plan.hidden] += self._arrays["positions"][self._batch.positions[:rows]]
        self._team.step()
        return self._work.logits[:asked, : self.plan.vocabulary]

    def _fill(self, reads: Sequence[Read]) -> tuple[int, int]:
        batch, row, asked = self._batch, 0, 0
        self._check(reads)
        for number, read in enumerate(reads):
            count = len(read.ids)
            batch.segments[number] = row, count
            batch.positions[row : row + count] = np.arange(read.position, read.position + count)
            batch.tables[number, : len(read.pages)] = read.pages
            batch.asked[asked : asked + len(read.asked)] = row + np.asarray(read.asked, np.int64)
            row, asked = row + count, asked + len(read.asked)
        batch.counts[:] = row, len(reads), asked
        return row, asked

    def _check(self, reads: Sequence[Read]) -> None:
        room = self.room
        _within("rows", sum(len(read.ids) for read in reads), 1, room.rows)
        _within("sequences", len(reads), 1, len(self._batch.segments))
        _within("rows asked", sum(len(read.asked) for read in reads), 0, room.asked)
        for read in reads:
            end = read.position + len(read.ids)
            _within("tokens", len(read.ids), 1, room.rows)
            _within("position", read.position, 0, room.context - 1)
            _within("positions", end, 1, min(room.context, len(read.pages) * PAGE))
            _within("pages", len(read.pages), 1, self._batch.tables.shape[1])
            for low, high, limit, name in (
                (min(read.ids), max(read.ids), self.plan.vocabulary, "token id"),
                (min(read.pages), max(read.pages), room.pages, "page"),
                (min(read.asked, default=0), max(read.asked, default=0), len(read.ids), "asked row"),
            ):
                _within(name, low, 0, limit - 1)
                _within(name, high, 0, limit - 1)


def _within(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise TunesmithError("N04", what=name, value=value, low=low, high=high)


def _format_table(known: Sequence[Kernels]) -> Ints:
    width = operands.KERNELS + max(len(kernels.addresses) for kernels in known)
    table = np.zeros((len(known), width), np.int64)
    for row, kernels in zip(table, known, strict=True):
        kind, most = kernels.format, len(kernels.addresses) - 1
        row[: operands.KERNELS] = (
            operands.CODES[kind.activations], kind.group, kind.offset, 16 * kind.bits, most,
        )  # fmt: skip
        row[operands.KERNELS : operands.KERNELS + most + 1] = kernels.addresses
    return table


def _matrix_table(plan: Plan, arrays: Arrays, kinds: Mapping[str, Format], known: list[Format]) -> Ints:
    table = np.zeros((plan.layers + 1, 4, operands.FIELDS), np.int64)
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


def _model(
    plan: Plan, config: Any, arrays: Arrays, matrices: Ints, table: Ints, room: Room
) -> Model:
    cos, sin = _angles(plan, config, room.context)
    return Model(
        layers=plan.layers,
        hidden=plan.hidden,
        heads=plan.heads,
        kv_heads=plan.kv_heads,
        head=plan.head,
        inner=plan.inner,
        activation=plan.activation,
        layered=plan.layered,
        headed=plan.headed,
        eps=plan.eps,
        scale=plan.scale,
        matrices=matrices,
        formats=table,
        norms=np.array(arrays["norms"]),
        norm_biases=np.array(arrays["norm_biases"]),
        head_norms=np.array(arrays["head_norms"]),
        windows=np.array(plan.windows, np.int64),
        cos=cos,
        sin=sin,
    )


def _angles(plan: Plan, config: Any, context: int) -> tuple[Floats, Floats]:
    """Cosines and sines of all positions, [positions, D / 2]; where nothing turns, those of 0."""
    if not plan.rotary:
        shape = (context, plan.head // 2)
        return np.ones(shape, np.float32), np.zeros(shape, np.float32)
    rope = config.rope_parameters
    if rope.get("rope_type", "default") == "default":
        exponents = torch.arange(0, plan.head, 2, dtype=torch.int64).float() / plan.head
        inverse, factor = 1.0 / (rope["rope_theta"] ** exponents), 1.0
    else:
        inverse, factor = ROPE_INIT_FUNCTIONS[rope["rope_type"]](config, torch.device("cpu"))
    turns = torch.arange(context).float()[:, None] * inverse[None].float()
    return (turns.cos() * factor).numpy(), (turns.sin() * factor).numpy()


def _memory(plan: Plan, room: Room, table: Ints) -> Memory:
    sizes = plan.layers, room.pages, plan.kv_heads
    return Memory(
        keys=np.zeros((*sizes, PAGE // 16, plan.head, 16), np.float32),
        values=np.zeros((*sizes, -(-plan.head // 16), PAGE, 16), np.float32),
        kernels=table[0],
    )


def _work(plan: Plan, room: Room, rows: operands.Operands, isa: Isa) -> Work:
    threads = room.threads
    beside = BLOCK * plan.heads // plan.kv_heads
    widths = {matrix.name: -(-matrix.outputs // 16) * 16 for matrix in plan.matrices}
    longest = max(plan.hidden, plan.inner)

    def some(*shape: int) -> Floats:
        return np.zeros(shape, np.float32)

    return Work(
        threads=threads,
        x=some(room.rows, -(-plan.hidden // 16) * 16),
        operands=rows,
        mixed=some(room.rows, widths["0.qkv"]),
        attended=some(room.rows, plan.heads * plan.head),
        inner=some(room.rows, widths["0.up"]),
        row=some(threads, longest),
        tile=some(threads, isa.rows, 16),
        queries=some(threads, beside, plan.head),
        scores=some(threads, beside, -(-room.context // PAGE) * PAGE),
        mix=some(threads, beside, -(-plan.head // 16) * 16),
        logits=some(room.asked, widths["head"]),
    )


def _batch(room: Room) -> Batch:
    return Batch(
        counts=np.zeros(3, np.int64),
        positions=np.zeros(room.rows, np.int64),
        segments=np.zeros((room.rows, 2), np.int64),
        tables=np.zeros((room.rows, -(-room.context // PAGE)), np.int64),
        asked=np.zeros(room.asked, np.int64),
    )
