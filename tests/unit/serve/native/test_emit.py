"""Kernels of every format and instruction set here, against the same product in numpy, over odd shapes."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.serve.names import Weights
from tunesmith.serve.native import compiler, emit, isa, machine, store
from tunesmith.serve.native.formats import Format, format_for, memory
from tunesmith.serve.native.operands import quantise_bytes, quantise_words, round_all
from tunesmith.serve.native.packing import from_bfloat16, pack, to_bfloat16

WEIGHTS: list[Weights] = ["float32", "bfloat16", "int8", "int4"]
FORMATS: dict[str, Callable[[isa.Isa], Format]] = {
    **{weights: partial(format_for, weights) for weights in WEIGHTS},
    "int8 memory": lambda one: memory("int8"),
}
HERE = [one for one in isa.KNOWN if set(one.features) <= isa.present()]
KERNEL = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * emit.ARGUMENTS)


@pytest.fixture(scope="module")
def made() -> dict[tuple[str, str], machine.Kernels]:
    return {(one.name, w): machine.kernels(kind(one), one) for one in HERE for w, kind in FORMATS.items()}


def read_rows(x: np.ndarray, kind: Format) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows as the kernels read them, their sides, and what they mean, in numpy."""
    rows, depth = x.shape
    sides = np.zeros((rows, depth // kind.group if kind.group else 1, 2), np.float32)
    if kind.activations == "float32":
        return x, sides, x
    if kind.activations == "bfloat16":
        return to_bfloat16(x), sides, from_bfloat16(to_bfloat16(x))
    most, dtype = (32767, np.int16) if kind.activations == "int16" else (127, np.int8)
    split = x.reshape(rows, -1, kind.group)
    peak = np.abs(split).max(-1)
    inverse = np.where(peak > 0, np.float32(most) / np.where(peak > 0, peak, 1), 0).astype(np.float32)
    whole = np.rint(split * inverse[..., None])
    sides[..., 0] = peak / np.float32(most)
    sides[..., 1] = (-kind.offset * whole.sum(-1)).astype(np.int32).view(np.float32)
    return whole.reshape(x.shape).astype(dtype), sides, (whole * sides[..., :1]).reshape(x.shape)


def meant(weights: np.ndarray, kind: Format) -> np.ndarray:
    """What a matrix [outputs, inputs] is after it was packed."""
    packed = pack(weights, kind)
    if kind.name == "float32":
        return weights
    if kind.name == "bfloat16":
        return from_bfloat16(to_bfloat16(weights))
    if kind.name == "int8":
        return np.rint(weights / packed.factors[:, None]) * packed.factors[:, None]
    scales = from_bfloat16(packed.scales).transpose(0, 2, 3, 1).reshape(16, -1)
    split = weights.reshape(16, -1, kind.group)
    return (np.rint(split / scales[..., None]).clip(-8, 7) * scales[..., None]).reshape(weights.shape)


@pytest.mark.parametrize("one", HERE, ids=lambda one: one.name)
@pytest.mark.parametrize("weights", FORMATS)
@settings(max_examples=8)
@given(st.integers(1, 12), st.integers(1, 40), st.integers(0, 2**31), st.integers(0, 5))
def test_a_kernel_adds_the_product(made, one, weights, rows, multiple, seed, gap) -> None:
    kind = FORMATS[weights](one)
    rows, depth = (
        min(rows, emit.most_rows(kind, one)),
        kind.multiple * (multiple if not kind.group else 1 + multiple % 4),
    )
    random = np.random.default_rng(seed)
    x, w = random.normal(size=(rows, depth)), random.normal(size=(16, depth))
    rows_read, sides, x_meant = read_rows(x.astype(np.float32), kind)
    packed = pack(w.astype(np.float32), kind)
    y = random.normal(size=(rows, 16 + gap)).astype(np.float32)
    before = y.copy()
    KERNEL(made[one.name, weights].addresses[rows])(
        packed.weights.ctypes.data, packed.scales.ctypes.data, rows_read.ctypes.data, rows_read.strides[0],
        sides.ctypes.data, sides.strides[0], depth, y.ctypes.data, y.strides[0],
    )  # fmt: skip
    found = (y - before)[:, :16] * packed.factors
    expected = x_meant.astype(np.float64) @ meant(w.astype(np.float32), kind).T.astype(np.float64)
    np.testing.assert_allclose(found, expected, atol=2e-5 * depth**0.5, rtol=1e-4)
    np.testing.assert_array_equal(y[:, 16:], before[:, 16:])


@pytest.mark.parametrize("one", HERE, ids=lambda one: one.name)
@pytest.mark.parametrize("weights", FORMATS)
def test_a_row_does_not_depend_on_its_neighbours(made, one, weights) -> None:
    kind = FORMATS[weights](one)
    random = np.random.default_rng(5)
    most = emit.most_rows(kind, one)
    x = random.normal(size=(most, 192)).astype(np.float32)
    rows, sides, _ = read_rows(x, kind)
    packed = pack(random.normal(size=(16, 192)).astype(np.float32), kind)

    def run(first: int, count: int) -> np.ndarray:
        y = np.zeros((count, 16), np.float32)
        KERNEL(made[one.name, weights].addresses[count])(
            packed.weights.ctypes.data, packed.scales.ctypes.data, rows[first:].ctypes.data, rows.strides[0],
            sides[first:].ctypes.data, sides.strides[0], 192, y.ctypes.data, 64,
        )  # fmt: skip
        return y

    together = run(0, most)
    for row in range(most):
        np.testing.assert_array_equal(run(row, 1)[0], together[row])


@given(st.integers(1, 200), st.integers(0, 2**31))
@settings(max_examples=20)
def test_rows_are_rounded_as_numpy_does(rounding, size, seed) -> None:
    round_rows, words, in_bytes = rounding
    x = np.random.default_rng(seed).normal(size=256).astype(np.float32)
    x[size:] = 0
    halves = np.ones(256, np.uint16)
    round_rows(x, size, 256, halves)
    np.testing.assert_array_equal(halves, to_bfloat16(x))
    for run, kind, out in (
        (words, Format(name="int8", activations="int16", bits=8, steps=2, group=64), np.ones(256, np.int16)),
        (in_bytes, format_for("int8", isa.KNOWN[0]), np.ones(256, np.int8)),
    ):
        sides = np.zeros((4, 2), np.float32)
        run(*(x, size, 256, 64, *([kind.offset] if kind.offset else []), out, sides))
        expected, expected_sides, _ = read_rows(x[None], kind)
        np.testing.assert_array_equal(out, expected[0])
        np.testing.assert_array_equal(sides[:, 0], expected_sides[0, :, 0])
        if kind.offset:
            np.testing.assert_array_equal(sides.view(np.int32)[:, 1], expected_sides[0].view(np.int32)[:, 1])


@pytest.fixture(scope="module")
def rounding(on_arrays):
    return on_arrays(round_all, quantise_words, quantise_bytes)


@pytest.mark.faults
@pytest.mark.parametrize(
    ("one", "weights", "instruction"),
    [
        ("avx512_bf16", "bfloat16", "vdpbf16ps"),
        ("avx512_bf16", "int8", "vpdpbusd"),
        ("avx512_bf16", "int4", "vpmaddwd"),
        ("avx2", "int8", "vpmaddwd"),
        ("avx2", "float32", "vfmadd"),
    ],
)
def test_the_instructions_that_are_meant_are_used(one: str, weights: Weights, instruction: str) -> None:
    meant_isa = next(known for known in isa.KNOWN if known.name == one)
    code = machine.assembly(emit.module(format_for(weights, meant_isa), meant_isa), meant_isa)
    assert code.count(instruction) > meant_isa.rows
    spilled = re.findall(r"[yz]mm\d+, -?\d*\(%rsp\)", code)
    assert spilled == []


def test_a_function_without_a_mark_is_not_compiled() -> None:
    def plain(x: int) -> int:
        return x

    with pytest.raises(KeyError):
        compiler.module([plain])


def test_a_kept_object_that_is_damaged_is_compiled_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(store.SETTING, str(tmp_path))
    kind = format_for("float32", isa.PLAIN)
    machine.kernels(kind, isa.PLAIN)
    (kept,) = store.code().iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-100])
    assert machine.kernels(kind, isa.PLAIN).addresses[1]
    assert kept.read_bytes() == whole
