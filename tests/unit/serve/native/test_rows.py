"""What happens to rows, against the same in numpy and torch, over odd lengths."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.serve.native import rows


@pytest.fixture(scope="module")
def made(on_arrays):
    names = ("rms_norm", "layer_norm", "rotate", "silu_gated", "gelu_gated", "gelu_plain", "softmax")
    return dict(zip(names, on_arrays(*(getattr(rows, name) for name in names)), strict=True))


SIZES = st.integers(1, 150)
SEEDS = st.integers(0, 2**31)
some = settings(max_examples=12)


def numbers(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=3, size=shape).astype(np.float32)


@given(SIZES, SEEDS)
@some
def test_norms_are_torchs(made, size, seed) -> None:
    x, weight, bias = numbers(seed, 3, size)
    out = np.zeros_like(x)
    made["rms_norm"](x, size, weight, 1e-5, out)
    torch_x, torch_weight = torch.from_numpy(x), torch.from_numpy(weight)
    expected = torch.nn.functional.rms_norm(torch_x, (size,), torch_weight, 1e-5)
    np.testing.assert_allclose(out, expected, rtol=2e-5, atol=1e-6)
    made["layer_norm"](x, size, weight, bias, 1e-2, out)
    expected = torch.nn.functional.layer_norm(torch_x, (size,), torch_weight, torch.from_numpy(bias), 1e-2)
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-4)


@given(SIZES, SEEDS)
@some
def test_activations_are_torchs(made, size, seed) -> None:
    x = numbers(seed, 2 * size)
    first, second = torch.from_numpy(x).split(size)
    for name, expected in (
        ("silu_gated", torch.nn.functional.silu(first) * second),
        ("gelu_gated", torch.nn.functional.gelu(first, approximate="tanh") * second),
        ("gelu_plain", torch.nn.functional.gelu(first, approximate="tanh")),
    ):
        out = np.zeros(size, np.float32)
        made[name](x, size, out)
        np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-5)


@given(SIZES, SEEDS)
@some
def test_a_rotation_turns_pairs_of_halves(made, half, seed) -> None:
    x, angle = numbers(seed, 2 * half), numbers(seed, half)
    cos, sin = np.cos(angle), np.sin(angle)
    a, b = np.split(x.copy(), 2)
    made["rotate"](x, half, cos, sin)
    np.testing.assert_allclose(
        x, np.concatenate([a * cos - b * sin, b * cos + a * sin]), rtol=1e-4, atol=1e-5
    )


@given(st.integers(0, 40), SIZES, st.integers(0, 40), SEEDS)
@some
def test_softmax_leaves_zeros_around(made, first, count, behind, seed) -> None:
    size = first + count + behind
    x = numbers(seed, size + 1)
    kept = x[size]
    expected = np.zeros(size)
    e = np.exp(x[first : first + count].astype(np.float64) - x[first : first + count].max())
    expected[first : first + count] = e / e.sum()
    made["softmax"](x, first, first + count, size)
    np.testing.assert_allclose(x[:size], expected, rtol=1e-5, atol=1e-7)
    assert x[size] == kept
