"""What happens to one row of numbers: norms, rotation, activations, softmax. Float32, at addresses."""

from __future__ import annotations

from tunesmith.serve.native.compiler import compiled, reordered
from tunesmith.serve.native.intrinsics import bits, from_bits, get, put, root


@compiled
def exponential(x: float) -> float:
    """The exponential function, within two units in the last place; Cephes' polynomial, which vectorises."""
    x = min(max(x, -87.0), 88.0)
    shifted = x * 1.4426950408889634 + 12582912.0
    nearest = shifted - 12582912.0
    r = x - nearest * 0.693359375 + nearest * 2.12194440e-4
    p = 1.9875691500e-4
    p = p * r + 1.3981999507e-3
    p = p * r + 8.3334519073e-3
    p = p * r + 4.1665795894e-2
    p = p * r + 1.6666665459e-1
    p = p * r + 5.0000001201e-1
    p = p * r * r + r + 1.0
    power = (bits(shifted) - 0x4B400000 + 127) << 23
    return p * from_bits(power)


@compiled
def clear(x: int, first: int, end: int) -> None:
    """Zeros from `first` to `end`."""
    for i in range(first, end):
        put(x, i, 0.0)


@reordered
def rms_norm(x: int, size: int, weight: int, eps: float, out: int) -> None:
    """`x` over its root mean square, times `weight` (Zhang and Sennrich 2019)."""
    total = 0.0
    for i in range(size):
        total += get(x, i) * get(x, i)
    factor = 1.0 / root(total / float(size) + eps)
    for i in range(size):
        put(out, i, get(x, i) * factor * get(weight, i))


@reordered
def layer_norm(x: int, size: int, weight: int, bias: int, eps: float, out: int) -> None:
    """`x` with mean 0 and variance 1, times `weight`, plus `bias` (Ba et al. 2016)."""
    mean = 0.0
    for i in range(size):
        mean += get(x, i)
    mean /= float(size)
    total = 0.0
    for i in range(size):
        total += (get(x, i) - mean) * (get(x, i) - mean)
    factor = 1.0 / root(total / float(size) + eps)
    for i in range(size):
        put(out, i, (get(x, i) - mean) * factor * get(weight, i) + get(bias, i))


@compiled
def rotate(x: int, half: int, cos: int, sin: int) -> None:
    """Turn pairs of halves by angles (Su et al. 2021)."""
    for i in range(half):
        a, b = get(x, i), get(x, half + i)
        put(x, i, a * get(cos, i) - b * get(sin, i))
        put(x, half + i, b * get(cos, i) + a * get(sin, i))


@compiled
def silu(x: float) -> float:
    """`x` times its logistic function."""
    return x / (1.0 + exponential(-x))


@compiled
def gelu(x: float) -> float:
    """The approximation of GELU by tanh (Hendrycks and Gimpel 2016), written with one exponential."""
    inner = 0.7978845608028654 * (x + 0.044715 * x * x * x)
    return x * (1.0 - 1.0 / (exponential(2.0 * inner) + 1.0))


@compiled
def silu_gated(x: int, size: int, out: int) -> None:
    """`silu` of the first `size` numbers times the next ones."""
    for i in range(size):
        put(out, i, silu(get(x, i)) * get(x, size + i))


@compiled
def gelu_gated(x: int, size: int, out: int) -> None:
    """`gelu` of the first `size` numbers times the next ones."""
    for i in range(size):
        put(out, i, gelu(get(x, i)) * get(x, size + i))


@compiled
def gelu_plain(x: int, size: int, out: int) -> None:
    """`gelu` of `size` numbers."""
    for i in range(size):
        put(out, i, gelu(get(x, i)))


@reordered
def softmax(x: int, first: int, end: int, size: int) -> None:
    """Softmax of `first` to `end`; whatever else is in the first `size` becomes 0."""
    most = -3e38
    for i in range(first, end):
        most = max(most, get(x, i))
    total = 0.0
    for i in range(first, end):
        e = exponential(get(x, i) - most)
        put(x, i, e)
        total += e
    factor = 1.0 / total
    for i in range(first, end):
        put(x, i, get(x, i) * factor)
    clear(x, 0, first)
    clear(x, end, size)
