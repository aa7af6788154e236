"""One file with everything a model computes with, written once and mapped into memory from then on.

It is a safetensors file, with its data at a multiple of 64 bytes and the sha256 of that in its header. What
has been mapped is shared by all processes that use it.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from io import BufferedIOBase
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tunesmith.core import durable
from tunesmith.core.errors import ModelError
from tunesmith.serve.native import sources
from tunesmith.serve.native.formats import Format
from tunesmith.serve.native.packing import pack
from tunesmith.serve.native.plan import Matrix, Plan
from tunesmith.serve.native.sources import Source

VERSION = 2
_ROWS = 1024  # outputs that are packed at a time; a multiple of 16
_ALIGNED = 64
_UNKNOWN = "0" * 64  # a digest, until all is written
_KINDS = {"F32": np.float32, "U16": np.uint16, "U8": np.uint8}

Layout = dict[str, tuple[str, tuple[int, ...]]]


def layout(plan: Plan, formats: Mapping[str, Format]) -> Layout:
    """Names, kinds and shapes of what a file holds, in order. `formats` are those of matrices by name."""
    found: Layout = {}
    for matrix in plan.matrices:
        kind = formats[matrix.name]
        columns, depth = -(-matrix.outputs // 16) * 16, kind.depth(matrix.inputs)
        found[f"{matrix.name}.weights"] = ("U8", (columns // 16, kind.bytes(depth)))
        scales = depth // kind.group if kind.name == "int4" else 0
        found[f"{matrix.name}.scales"] = ("U16", (columns // 16, scales, 16))
        found[f"{matrix.name}.factors"] = ("F32", (columns,))
        found[f"{matrix.name}.biases"] = ("F32", (columns,))
    found["norms"] = ("F32", (len(plan.norms), plan.hidden))
    found["norm_biases"] = ("F32", (len(plan.norms) if plan.layered else 0, plan.hidden))
    found["head_norms"] = ("F32", (len(plan.head_norms) // 2, 2, plan.head))
    found["embedding"] = ("F32", (plan.vocabulary, plan.hidden))
    found["positions"] = ("F32", (plan.context if plan.positions else 0, plan.hidden))
    return found


def write(path: Path, plan: Plan, formats: Mapping[str, Format], source: Source) -> None:
    """Pack a model into a file, a few rows of a matrix at a time.

    Raises:
        ModelError: N02 when a tensor is missing or has another shape.
        TunesmithError: C02 when the system refuses to write.
    """
    parts = layout(plan, formats)
    header, starts, size = _header(parts, _UNKNOWN)
    with durable.new_file(path) as temporary, temporary.open("w+b") as file:
        file.truncate(len(header) + size)
        for name, values in _contents(plan, formats, source):
            _put(file, len(header) + starts[name], values)
            starts[name] += values.nbytes
        digest = _digest(file, len(header))
        file.seek(0)
        file.write(_header(parts, digest)[0])


def _digest(file: BufferedIOBase, start: int) -> str:
    """Of all behind the header."""
    file.seek(start)
    return hashlib.file_digest(file, "sha256").hexdigest()


def _put(file: BinaryIO, place: int, values: NDArray[np.generic]) -> None:
    file.seek(place)
    file.write(np.ascontiguousarray(values).data)


def _header(parts: Layout, digest: str) -> tuple[bytes, dict[str, int], int]:
    """The beginning of the file, where each part begins behind it, and the size of what is behind it."""
    said: dict[str, Any] = {"__metadata__": {"sha256": digest}}
    starts: dict[str, int] = {}
    place = 0
    for name, (kind, shape) in parts.items():
        size = math.prod(shape) * np.dtype(_KINDS[kind]).itemsize
        said[name] = {"dtype": kind, "shape": shape, "data_offsets": [place, place + size]}
        starts[name] = place
        gap = -size % _ALIGNED
        if gap:  # a file of this kind has no holes
            said[f"{name}.gap"] = {
                "dtype": "U8",
                "shape": [gap],
                "data_offsets": [place + size, place + size + gap],
            }
        place += size + gap
    text = json.dumps(said).encode()
    text += b" " * (-(len(text) + 8) % _ALIGNED)
    return len(text).to_bytes(8, "little") + text, starts, place


def _contents(
    plan: Plan, formats: Mapping[str, Format], source: Source
) -> Iterator[tuple[str, NDArray[np.generic]]]:
    """Parts in pieces; those of one part come in their order."""
    for matrix in plan.matrices:
        yield from _matrix(matrix, formats[matrix.name], source)
    for name, part in (("norms", "weight"), ("norm_biases", "bias")):
        if name == "norms" or plan.layered:
            more = np.float32(plan.more if part == "weight" else 0)
            yield from ((name, sources.vector(source, f"{norm}.{part}") + more) for norm in plan.norms)
    yield from (("head_norms", sources.vector(source, f"{norm}.weight")) for norm in plan.head_norms)
    yield from _table("embedding", plan.embedding, plan.vocabulary, plan, source)
    if plan.positions:
        yield from _table("positions", plan.positions, plan.context, plan, source)


def _matrix(matrix: Matrix, kind: Format, source: Source) -> Iterator[tuple[str, NDArray[np.generic]]]:
    biases = sources.biases(source, matrix)
    columns = -(-matrix.outputs // 16) * 16
    yield f"{matrix.name}.biases", np.pad(biases, (0, columns - matrix.outputs))
    for first in range(0, matrix.outputs, _ROWS):
        rows = sources.rows(source, matrix, first, min(first + _ROWS, matrix.outputs))
        packed = pack(rows, kind)
        for part, values in zip(("weights", "scales", "factors"), packed, strict=True):
            yield f"{matrix.name}.{part}", values


def _table(
    name: str, part: str, count: int, plan: Plan, source: Source
) -> Iterator[tuple[str, NDArray[np.generic]]]:
    matrix = Matrix(name=name, parts=(part,), outputs=count, inputs=plan.hidden)
    for first in range(0, count, _ROWS):
        yield name, sources.rows(source, matrix, first, min(first + _ROWS, count))


def read(path: Path, expected: Layout) -> dict[str, NDArray[Any]]:
    """The parts of a file, mapped into memory.

    Raises:
        ModelError: N03 when the file is not what it should be.
    """
    with path.open("rb") as file:
        digest = _digest(file, len(_header(expected, _UNKNOWN)[0]))
        header, starts, size = _header(expected, digest)
        file.seek(0)
        if file.read(len(header)) != header or os.fstat(file.fileno()).st_size != len(header) + size:
            raise ModelError("N03", file=path)
        # What was looked at is what is mapped, also when another process removes or replaces it meanwhile.
        block = np.memmap(file, np.uint8, "r")
    return {
        name: _view(block[len(header) + starts[name] :][: bytes_of(part)], part)
        for name, part in expected.items()
    }


def bytes_of(part: tuple[str, tuple[int, ...]]) -> int:
    """The bytes of a part of a layout."""
    return math.prod(part[1]) * np.dtype(_KINDS[part[0]]).itemsize


def _view(block: NDArray[np.uint8], part: tuple[str, tuple[int, ...]]) -> NDArray[Any]:
    return block.view(_KINDS[part[0]]).reshape(part[1])
