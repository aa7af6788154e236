"""The header of a safetensors file, held to the file it stands in before anything else opens it.

Format: 8 bytes of length, that much JSON (name -> dtype, shape, offsets), then the bytes of the tensors.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.core.errors import ModelError

LONGEST = 100_000_000
"""Bytes a header may have: the limit of the safetensors library."""

_BITS = {
    name: bits
    for bits, names in {
        4: "F4",
        6: "F6_E2M3 F6_E3M2",
        8: "BOOL U8 I8 F8_E5M2 F8_E4M3 F8_E8M0",
        16: "U16 I16 F16 BF16",
        32: "U32 I32 F32",
        64: "U64 I64 F64",
    }.items()
    for name in names.split()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """What a header says of one tensor: its shape, and where its bytes begin and end after the header."""

    name: str
    shape: tuple[int, ...]
    begin: int
    end: int

    @property
    def elements(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)


def read(path: Path) -> list[Tensor]:
    """The tensors of a file in the order of their bytes, which fill it without gap or overlap.

    Raises:
        ModelError: M52 when the header is too long, is no header, or says what the file does not bear out.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(LONGEST, size - 8):
                raise ValueError(f"the header should have {length} bytes, the file has {size}")
            content = json.loads(file.read(length), object_pairs_hook=_unique)
        tensors = [_tensor(name, said) for name, said in content.items() if name != "__metadata__"]
        return _filling(tensors, size - 8 - length)
    except RecursionError as error:
        raise ModelError("M52", file=path, reason="the header is nested too deeply") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError("M52", file=path, reason=_said(error)) from error


def _said(error: Exception) -> str:
    return (f"no {error}" if isinstance(error, KeyError) else str(error)).splitlines()[0][:200]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name stands in the header twice")
    return made


def _tensor(name: str, said: dict[str, Any]) -> Tensor:
    shape, (begin, end), dtype = said["shape"], said["data_offsets"], said["dtype"]
    if not all(type(value) is int and value >= 0 for value in (*shape, begin, end)):
        raise ValueError(f"{name}: shape and offsets must be whole numbers, not {shape}, {begin}, {end}")
    if dtype not in _BITS:
        raise ValueError(f"{name}: no dtype is called {dtype}")
    if math.prod(shape) * _BITS[dtype] != (end - begin) * 8:
        raise ValueError(f"{name}: {shape} of {dtype} does not take {end - begin} bytes")
    return Tensor(name=name, shape=tuple(shape), begin=begin, end=end)


def _filling(tensors: list[Tensor], size: int) -> list[Tensor]:
    """The tensors in order, unless they overlap, leave gaps or end elsewhere than the file."""
    ordered = sorted(tensors, key=lambda tensor: (tensor.begin, tensor.end))
    position = 0
    for tensor in ordered:
        if tensor.begin != position:
            raise ValueError(f"{tensor.name} begins at {tensor.begin}, the one before it ends at {position}")
        position = tensor.end
    if position != size:
        raise ValueError(f"the tensors take {position} bytes, the file has {size} for them")
    return ordered
