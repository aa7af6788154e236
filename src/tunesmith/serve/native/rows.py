"""What happens to one row of numbers: norms, rotation, activations, softmax. All float32, compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tunesmith.serve.native.intrinsics import bits, from_bits
from tunesmith.serve.native.jit import compiled, reordered

Row = NDArray[np.float32]
_F = np.float32


@compiled
def exponential(x: float) -> float:
    """e to the `x`, within two units in the last place; Cephes' polynomial, which vectorises."""
    x = min(max(x, _F(-87.0)), _F(88.0))
    shifted = x * _F(1.4426950408889634) + _F(12582912.0)
    whole = shifted - _F(12582912.0)
    r = x - whole * _F(0.693359375) + whole * _F(2.12194440e-4)
    p = _F(1.9875691500e-4)
    p = p * r + _F(1.3981999507e-3)
    p = p * r + _F(8.3334519073e-3)
    p = p * r + _F(4.1665795894e-2)
    p = p * r + _F(1.6666665459e-1)
    p = p * r + _F(5.0000001201e-1)
    p = p * r * r + r + _F(1.0)
    power = (bits(shifted) - np.uint32(0x4B400000) + np.uint32(127)) << np.uint32(23)
    return p * from_bits(power)


@reordered
def rms_norm(x: Row, weight: Row, eps: float, out: Row) -> None:
    """`x` over its root mean square, times `weight` (Zhang and Sennrich 2019)."""
    total = _F(0)
    for i in range(weight.shape[0]):
        total += x[i] * x[i]
    factor = _F(1) / np.sqrt(total / _F(weight.shape[0]) + _F(eps))
    for i in range(weight.shape[0]):
        out[i] = x[i] * factor * weight[i]


@reordered
def layer_norm(x: Row, weight: Row, bias: Row, eps: float, out: Row) -> None:
    """`x` with mean 0 and variance 1, times `weight`, plus `bias` (Ba et al. 2016)."""
    size = weight.shape[0]
    mean = _F(0)
    for i in range(size):
        mean += x[i]
    mean /= _F(size)
    total = _F(0)
    for i in range(size):
        total += (x[i] - mean) * (x[i] - mean)
    factor = _F(1) / np.sqrt(total / _F(size) + _F(eps))
    for i in range(size):
        out[i] = (x[i] - mean) * factor * weight[i] + bias[i]


@compiled
def rotate(x: Row, cos: Row, sin: Row) -> None:
    """Turn pairs of halves by angles (Su et al. 2021). `cos` and `sin` are half as long as `x`."""
    half = cos.shape[0]
    for i in range(half):
        a, b = x[i], x[half + i]
        x[i] = a * cos[i] - b * sin[i]
        x[half + i] = b * cos[i] + a * sin[i]


@compiled
def silu(x: float) -> float:
    """`x` times its logistic function."""
    return x / (_F(1) + exponential(-x))


@compiled
def gelu(x: float) -> float:
    """The approximation of GELU by tanh (Hendrycks and Gimpel 2016)."""
    inner = _F(0.7978845608028654) * (x + _F(0.044715) * x * x * x)
    # tanh by one exponential, which overflows nowhere: its argument is bounded.
    return x * (_F(1) - _F(1) / (exponential(_F(2) * inner) + _F(1)))


@compiled
def silu_gated(x: Row, size: int, out: Row) -> None:
    """`silu` of the first `size` numbers times the next ones."""
    for i in range(size):
        out[i] = silu(x[i]) * x[size + i]


@compiled
def gelu_gated(x: Row, size: int, out: Row) -> None:
    """`gelu` of the first `size` numbers times the next ones."""
    for i in range(size):
        out[i] = gelu(x[i]) * x[size + i]


@compiled
def gelu_plain(x: Row, size: int, out: Row) -> None:
    """`gelu` of `size` numbers."""
    for i in range(size):
        out[i] = gelu(x[i])


@reordered
def softmax(x: Row, first: int, end: int, size: int) -> None:
    """Softmax of `x[first:end]`; whatever else is in `x[:size]` becomes 0."""
    most = _F(-3e38)
    for i in range(first, end):
        most = max(most, x[i])
    total = _F(0)
    for i in range(first, end):
        e = exponential(x[i] - most)
        x[i] = e
        total += e
    factor = _F(1) / total
    for i in range(first, end):
        x[i] *= factor
    x[:first] = _F(0)
    x[end:size] = _F(0)
