"""What a step works on: the model, the room it computes in, what is read and asked, and what is remembered.

Arrays and numbers only, as Numba takes them. C is hidden size, D the size of a head, L layers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tunesmith.serve.native.operands import Operands

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

PAGE = 32
"""Tokens of one page of memory."""
BLOCK = 16
"""Rows of one sequence that attend together."""
QKV, OUTPUT, UP, DOWN = range(4)
"""The matrices of a layer; the head of the model is the first of a layer behind the last."""


class Model(NamedTuple):
    """Weights and shape."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head: int
    inner: int
    activation: int
    layered: bool  # norms take the mean off
    headed: bool  # heads have norms of their own
    eps: float
    scale: float  # of scores
    matrices: Ints  # [L + 1, 4, fields]
    formats: Ints  # [formats, columns]
    norms: Floats  # [2 L + 1, C]
    norm_biases: Floats  # the same, or of no rows
    head_norms: Floats  # [L, queries and keys, D], or of no rows
    windows: Ints  # [L] tokens that a token sees
    cos: Floats  # [positions, D / 2]
    sin: Floats


class Memory(NamedTuple):
    """Keys and values by pages, laid out as weights: of scores, and of what is mixed by them."""

    keys: Floats  # [L, pages, heads, PAGE / 16, D, 16]
    values: Floats  # [L, pages, heads, D / 16, PAGE, 16]
    kernels: Ints  # what multiplies them, as a row of the table of formats


class Work(NamedTuple):
    """Room for the rows of a step."""

    threads: int
    x: Floats  # [rows, C]
    operands: Operands
    mixed: Floats  # [rows, queries, keys and values]
    attended: Floats  # [rows, heads * D]
    inner: Floats  # [rows, up]
    row: Floats  # [threads, longest row]
    tile: Floats  # [threads, rows of a kernel, 16]
    queries: Floats  # [threads, BLOCK * heads, D]
    scores: Floats  # [threads, BLOCK * heads, positions]
    mix: Floats  # [threads, BLOCK * heads, D padded]
    logits: Floats  # [asked, vocabulary padded]


class Batch(NamedTuple):
    """What is read: rows one after another, in segments of one sequence each."""

    counts: Ints  # rows, segments, asked
    positions: Ints  # [rows]
    segments: Ints  # [segments, first row and number of rows]
    tables: Ints  # [segments, pages]
    asked: Ints  # [asked] rows whose logits are wanted
