"""By what the rows of an outcome are divided: their length, language and labels, and columns of the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from tunesmith.eval import slices
from tunesmith.eval.metrics import Figures, direction
from tunesmith.eval.outcome import EntityOutcome, LabelOutcome, LabelsOutcome, Outcome
from tunesmith.eval.slices import Columns, Slices
from tunesmith.language.identify import UNKNOWN, identify

if TYPE_CHECKING:
    import polars as pl

Read = Mapping[str, Mapping[int, str]]
"""Of each column of the files the text of each ledger row."""
_QUARTERS = (0.25, 0.5, 0.75)
_MOST = 50
NOTHING: Read = {}
# What there is to be read in a row, where the outcome does not say.
_READ = ("text", "messages", "prompt")


def search(figures: Figures, frame: pl.DataFrame, more: Read = NOTHING) -> Slices | None:
    """The first metric that is made of sums, on the parts of the rows; `frame` holds the rows."""
    metric = next(iter(figures.sums), None)
    if metric is None:
        return None
    found = columns(figures.outcome, frame, more)
    return slices.search(metric, figures.sums[metric], found, lower=direction(metric) == "lower")


def columns(outcome: Outcome, frame: pl.DataFrame, more: Read) -> Columns:
    """Of each column the values of each row of an outcome."""
    texts = _texts(outcome, frame)
    lengths = [float(len(text)) for text in texts]
    languages = [() if name == UNKNOWN else (name,) for name in identify(texts)]
    own = {name: _column([of.get(int(row)) for row in outcome.rows]) for name, of in more.items()}
    return {"length": _quarters(lengths), "language": languages, "label": _labels(outcome), **own}


def _texts(outcome: Outcome, frame: pl.DataFrame) -> Sequence[str]:
    """What was read of each row."""
    for name in ("texts", "sources", "questions"):
        if (found := getattr(outcome, name, None)) is not None:
            texts: Sequence[str] = found
            return texts
    column = next((name for name in _READ if name in frame.columns), None)
    if column is None:
        return [""] * len(outcome.rows)
    of = dict(zip(frame["_row"].to_list(), map(_said, frame[column].to_list()), strict=True))
    return [of[int(row)] for row in outcome.rows]


def _said(content: str | Sequence[Mapping[str, str]]) -> str:
    """A text, or what the turns of a conversation say."""
    if isinstance(content, str):
        return content
    return "\n".join(turn["content"] or "" for turn in content)


def _labels(outcome: Outcome) -> Sequence[Sequence[str]]:
    """The labels of each row in the data."""
    match outcome:
        case LabelOutcome():
            return [(outcome.labels[target],) for target in outcome.targets]
        case LabelsOutcome():
            return [[outcome.labels[i] for i in np.flatnonzero(row)] for row in outcome.targets]
        case EntityOutcome():
            return [[label for _, _, label in row] for row in outcome.targets]
        case _:
            return [()] * len(outcome.rows)


def _column(cells: Sequence[str | None]) -> Sequence[Sequence[str]]:
    """The values of a column; of very many numbers the quarter in which each lies."""
    values = [cell for cell in cells if cell is not None]
    if len(set(values)) > _MOST and all(map(_is_number, values)):
        return _quarters([None if cell is None else float(cell) for cell in cells])
    return [() if cell is None else (cell,) for cell in cells]


def _is_number(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def _quarters(numbers: Sequence[float | None]) -> Sequence[Sequence[str]]:
    """Between which quartiles each number lies."""
    known = [number for number in numbers if number is not None]
    if not known:
        return [()] * len(numbers)
    bounds = [float(bound) for bound in np.unique(np.quantile(known, _QUARTERS, method="inverted_cdf"))]
    names = [f"≤ {bounds[0]:,.6g}"]
    names += [_between(low, high, whole=all(map(float.is_integer, known))) for low, high in pairwise(bounds)]
    names.append(f"> {bounds[-1]:,.6g}")
    return [() if n is None else (names[int(np.searchsorted(bounds, n))],) for n in numbers]


def _between(low: float, high: float, *, whole: bool) -> str:
    """Above `low` and up to `high`."""
    return f"{low + 1:,.6g}–{high:,.6g}" if whole else f"{low:,.6g} < … ≤ {high:,.6g}"
