"""What lm-evaluation-harness tells of its tasks, as figures of ours. Knows its form and none of its code."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tunesmith.core.events import Answer
from tunesmith.eval import significance
from tunesmith.eval.metrics import Figures
from tunesmith.eval.outcome import TextOutcome
from tunesmith.eval.significance import Interval
from tunesmith.eval.sums import Numbers, Sums, divided, hits, mean, ratio

_ROUNDING = 1e-9
_SHOWN = 3
_SHOWN_CHARACTERS = 600
_NONE = "none"  # what the harness calls an answer that no filter changed

Told = Mapping[str, Any]
Score = tuple[float, Interval | None]


def scores(found: Told) -> dict[str, Score]:
    """Every figure of every task and group, with where the truth is."""
    return {
        _named(task, *key.split(",", 1)): _score(found, task, key, float(value))
        for task, said in found["results"].items()
        for key, value in said.items()
        if "," in key and "_stderr," not in key and isinstance(value, int | float)
    }


def _score(found: Told, task: str, key: str, value: float) -> Score:
    metric, kind = key.split(",", 1)
    rows = [row for row in found["samples"].get(task, ()) if row.get("filter", _NONE) == kind]
    return value, _interval([row.get(metric) for row in rows], value)


def _named(task: str, metric: str, kind: str) -> str:
    return f"{task}/{metric}" if kind == _NONE else f"{task}/{metric} ({kind})"


def _interval(values: list[Any], value: float) -> Interval | None:
    """By draws of the rows, if the figure is a function of sums over what they have."""
    for sums in _sums(values):
        if math.isclose(sums.value, value, rel_tol=_ROUNDING):
            outcome = TextOutcome(sources=(), targets=(), predicted=(), rows=range(len(values)))
            figures = Figures(outcome=outcome, scores={"": value}, sums={"": sums})
            return significance.intervals(figures)[""]
    return None


def _sums(values: list[Any]) -> Iterator[Sums]:
    """What a figure may be: a mean; of pairs of log-likelihood and length, bits for each or a perplexity."""
    try:
        numbers = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        return
    if numbers.ndim == 1 and len(numbers):
        yield hits(numbers) if set(numbers.tolist()) <= {0.0, 1.0} else mean(numbers)
    elif numbers.ndim == 2 and numbers.shape[1] == 2:
        yield ratio(numbers[:, 0], numbers[:, 1], -1 / math.log(2))
        yield Sums(numbers, _perplexity)


def _perplexity(sums: Numbers) -> Numbers:
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(-divided(sums[..., 0], sums[..., 1])))


def lower(found: Told) -> set[str]:
    """The figures of which smaller ones are better."""
    told = found.get("higher_is_better", {})
    kinds = {key.partition(",")[2] for said in found["results"].values() for key in said} - {""}
    return {
        _named(task, metric, kind)
        for task, metrics in told.items()
        for metric, higher in (metrics or {}).items()
        for kind in kinds
        if higher is False
    }


def samples(found: Told) -> Iterator[Answer]:
    """The first rows of each task: what was asked, and what came back."""
    for rows in found["samples"].values():
        for row in rows[:_SHOWN]:
            prompt = row["arguments"][0][0] if row["arguments"] else ""
            yield Answer(
                prompt=str(prompt)[-_SHOWN_CHARACTERS:],
                answer=str(row["filtered_resps"])[:_SHOWN_CHARACTERS],
                expected=str(row["target"])[:_SHOWN_CHARACTERS],
            )
