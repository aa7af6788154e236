"""What a gate asks of a model beside its scores: its size, how long it takes, what its data is like."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tunesmith.core.recipe import Limits
from tunesmith.eval import gate
from tunesmith.eval.forgetting import Forgetting
from tunesmith.eval.gate import Verdict
from tunesmith.models import card
from tunesmith.models.language import LanguageModel
from tunesmith.workflow import measuring
from tunesmith.workflow.parts import Parts

if TYPE_CHECKING:
    import polars as pl

    from tunesmith.models.loading import Model
    from tunesmith.tasks.task import Task

_MEGABYTE = 10**6
# Rows that are timed, after one that is not.
_TIMED = 20
_PROMPT = 200  # characters
_TOKENS = 32


def held(
    limits: Limits, task: Task, model: Model, folder: Path, parts: Parts, lost: Forgetting | None
) -> Verdict:
    """The limits of a recipe that are set, and how a model in `folder` is beside them."""
    wanted = {name: most for name, most in limits.model_dump().items() if most is not None}
    rows = parts.split(parts.held_out)
    ways = {
        "size_mb": lambda: megabytes(folder),
        "latency_ms": lambda: latency(task, model, rows),
        "data_warnings": lambda: float(len(parts.warnings)),
        "forgetting": lambda: lost.share if lost else 0.0,
    }
    return gate.limited(wanted, {name: ways[name]() for name in wanted})


def megabytes(folder: Path) -> float:
    """The weights of a model, and of the base that it is an adapter of, in 10^6 bytes."""
    base = card.read(folder).base if (folder / "adapter_config.json").exists() else None
    folders = [folder, *([Path(base.folder)] if base else [])]
    return sum(path.stat().st_size for each in folders for path in each.glob("*.safetensors")) / _MEGABYTE


def latency(task: Task, model: Model, rows: pl.DataFrame) -> float:
    """Milliseconds for one row alone, or for a token of a model that writes; the median of some."""
    times = _written(model, rows) if isinstance(model, LanguageModel) else _answered(task, model, rows)
    _, *rest = times
    return 1000 * median(rest or [0.0])


def _answered(task: Task, model: Model, rows: pl.DataFrame) -> Iterator[float]:
    """Seconds of each row; the first, in which much is made ready, twice."""
    for place in (0, *range(min(_TIMED, rows.height))):
        began = time.perf_counter()
        measuring.outcome_of(task, model, rows[place : place + 1], None)
        yield time.perf_counter() - began


def _written(model: LanguageModel, rows: pl.DataFrame) -> Iterator[float]:
    """Seconds between the pieces of a text that the model writes, after it read the beginning of a row."""
    text = next((str(value) for value in rows.head(1).row(0) if isinstance(value, str)), "-")[:_PROMPT]
    began = time.perf_counter()
    for _ in model.continuation(text, max_new_tokens=_TOKENS):
        yield time.perf_counter() - began
        began = time.perf_counter()
    yield time.perf_counter() - began
