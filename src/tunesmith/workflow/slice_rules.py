"""What a gate asks of parts of the rows: of those of which a column has a value."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tunesmith.core.recipe import Bound
from tunesmith.eval import gate, metrics
from tunesmith.eval.gate import Verdict
from tunesmith.eval.outcome import Outcome, take
from tunesmith.eval.slices import Columns

OWN = ("length", "language", "label")
"""The columns that every outcome has; all others are of the files."""


def columns(rules: Mapping[str, Bound]) -> list[str]:
    """The columns of the files that the rules name."""
    named = (name.partition("=")[0] for bound in rules.values() for name in bound.slices)
    return [name for name in dict.fromkeys(named) if name not in OWN]


def held(rules: Mapping[str, Bound], outcome: Outcome, values: Columns) -> Verdict:
    """The rules for parts of the rows, and how the outcome is beside them."""
    asked = [(metric, name) for metric, bound in rules.items() for name in bound.slices]
    return gate.sliced(rules, {(m, name): _figure(m, outcome, values, name) for m, name in asked})


def _figure(metric: str, outcome: Outcome, values: Columns, name: str) -> float:
    column, _, value = name.partition("=")
    places = [place for place, own in enumerate(values.get(column, ())) if value in own]
    if not places:
        return float("nan")
    return metrics.measure([metric], take(outcome, np.array(places)))[metric]
