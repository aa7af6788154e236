"""Products with panels that have no scales: of the memory, and of adapters."""

from __future__ import annotations

from tunesmith.serve.native.compiler import compiled
from tunesmith.serve.native.intrinsics import call, whole
from tunesmith.serve.native.slots import COLUMNS, Kind


@compiled
def multiply(
    panels: int, count: int, depth: int, x: int, x_stride: int, y: int, y_stride: int, rows: int, kernels: int
) -> None:
    """`y += x @ panels` for so many rows, panels, and a depth, by the kernels of a format without scales."""
    most, size = whole(kernels, Kind.ROWS), depth * whole(kernels, Kind.BITS) // 8
    for panel in range(count):
        for row in range(0, rows, most):
            call(
                whole(kernels, Kind.KERNELS + min(most, rows - row)),
                (panels + panel * size, 0, x + 4 * row * x_stride, 4 * x_stride, 0, 0, depth,
                 y + 4 * (row * y_stride + panel * COLUMNS), 4 * y_stride),
            )  # fmt: skip
