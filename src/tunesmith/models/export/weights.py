"""How far weights that were rounded are from what they were: a check that needs no text to go wrong on.

A block of n numbers with one scale is rounded by at most half a step each, so the error of a row stays below
sqrt(n - 1) half steps of its largest number: 0.022 of it in Q8_0, 0.35 in Q4_0. Rows in another order, or of
another model, are further away than that whatever the tolerance of what the model says.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from tunesmith.models.export.certificate import Precision

BOUNDS: Mapping[Precision, float] = {"f32": 1e-6, "f16": 2e-3, "q8_0": 0.03, "q4_0": 0.5}
"""How far a row may be, in its own length."""


def furthest_row(original: nn.Module, exported: nn.Module) -> float:
    """The largest distance of a matrix's row [d] from what it was, in the length of the row."""
    found = dict(exported.named_parameters())
    pairs = ((value, found[name]) for name, value in original.named_parameters() if value.ndim > 1)
    far = ((one - other).norm(dim=-1) / one.norm(dim=-1).clamp_min(1e-6) for one, other in pairs)
    return max(float(rows.detach().max()) for rows in far)
