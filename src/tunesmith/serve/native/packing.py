"""Weights as kernels read them: rows of a matrix, 16 at a time, in the numbers of a format."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tunesmith.serve.native.formats import Format

Floats = NDArray[np.float32]
_MOST = {"int8": 127, "int4": 8}


class Packed(NamedTuple):
    """Panels of weights, scales of their groups (int4 only), and a factor for each column."""

    weights: NDArray[np.generic]
    scales: NDArray[np.generic]
    factors: Floats


def pack(rows: Floats, kind: Format) -> Packed:
    """`rows`: [outputs, inputs] of a linear map; both are padded with zeros, outputs to 16."""
    count, depth = rows.shape
    padded = np.zeros((-(-count // 16) * 16, kind.depth(depth)), np.float32)
    padded[:count, :depth] = rows
    none, ones = np.zeros(0, np.uint16), np.ones(len(padded), np.float32)
    match kind.name:
        case "float32":
            return Packed(_panels(padded, 1), none, ones)
        case "bfloat16":
            return Packed(_panels(to_bfloat16(padded), 2), none, ones)
        case "int8":
            whole, factors = _int8(padded)
            stored = whole.view(np.uint8) + np.uint8(kind.offset)
            return Packed(_panels(stored, kind.steps), none, factors)
        case "int4":
            whole, scales = _int4(padded, kind.group)
            return Packed(_nibbles(whole), _panels(scales, 1), ones)


def to_bfloat16(x: Floats) -> NDArray[np.uint16]:
    """The nearest bfloat16 as 16 bits; of two the even one."""
    bits = x.view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
    return rounded.astype(np.uint16)


def from_bfloat16(x: NDArray[np.uint16]) -> Floats:
    """The float32 that 16 bits of a bfloat16 mean."""
    return (x.astype(np.uint32) << np.uint32(16)).view(np.float32)


def _panels(rows: NDArray[np.generic], steps: int) -> NDArray[np.generic]:
    """[outputs, depth] to [panels, depth / steps, 16, steps]."""
    count, depth = rows.shape
    split = rows.reshape(count // 16, 16, depth // steps, steps)
    return np.ascontiguousarray(split.transpose(0, 2, 1, 3))


def _int8(rows: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Whole numbers from -127 to 127, and the factor of each row."""
    factors = np.abs(rows).max(-1) / np.float32(_MOST["int8"])
    safe = np.where(factors > 0, factors, 1)
    return np.rint(rows / safe[:, None]).astype(np.int8), factors


def _int4(rows: Floats, group: int) -> tuple[NDArray[np.int8], NDArray[np.uint16]]:
    """Whole numbers from -8 to 7, and the bfloat16 scale of each group: the largest becomes -8."""
    split = rows.reshape(len(rows), -1, group)
    place = np.abs(split).argmax(-1, keepdims=True)
    scales = to_bfloat16(np.take_along_axis(split, place, -1)[..., 0] / np.float32(-_MOST["int4"]))
    used = from_bfloat16(scales)[..., None]
    whole = np.rint(split / np.where(used != 0, used, 1)).clip(-8, 7)
    return whole.astype(np.int8).reshape(rows.shape), scales


def _nibbles(whole: NDArray[np.int8]) -> NDArray[np.uint16]:
    """Four pairs of numbers of each column in two words: [panels, depth / 8, 16, 2]."""
    count, depth = whole.shape
    split = whole.reshape(count // 16, 16, depth // 8, 4, 2).transpose(0, 2, 1, 4, 3)
    nibbles = (split & 15).astype(np.uint16)
    shifts = np.array([0, 4, 8, 12], np.uint16)
    return np.ascontiguousarray(np.bitwise_or.reduce(nibbles << shifts, axis=-1))
