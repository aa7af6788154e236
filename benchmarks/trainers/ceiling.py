"""How fast this machine multiplies matrices of the decoder's sizes: python ceiling.py -> JSON, in GFLOP/s

The best of many products in bfloat16 and in float32.
"""

from __future__ import annotations

import json
import time

import torch

# Rows, inner and outer width: merged projections of a layer at a thousand tokens, and a large square.
SHAPES = ((1024, 576, 3072), (1024, 1536, 576), (2048, 2048, 2048))
_SECONDS = 0.5


def main() -> None:
    print(json.dumps({name: round(best(getattr(torch, name)) / 1e9, 1) for name in ("bfloat16", "float32")}))


def best(kind: torch.dtype) -> float:
    """Floating point operations a second."""
    return max(_rate(shape, kind) for shape in SHAPES)


def _rate(shape: tuple[int, int, int], kind: torch.dtype) -> float:
    rows, inner, outer = shape
    inputs, weights = torch.randn(rows, inner, dtype=kind), torch.randn(outer, inner, dtype=kind)
    quickest, ends = float("inf"), time.perf_counter() + _SECONDS
    while time.perf_counter() < ends:
        began = time.perf_counter()
        torch.mm(inputs, weights.t())
        quickest = min(quickest, time.perf_counter() - began)
    return 2 * rows * inner * outer / quickest


if __name__ == "__main__":
    main()
