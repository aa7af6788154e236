"""Which models of the catalogue suit a task and a file of rows, and why.

Rows are read as a run would read them. What is ranked is what can be trained in the given memory and knows
the languages of the rows; each suggestion comes with its reasons as codes and values.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith.core import components
from tunesmith.core.recipe import Data
from tunesmith.data.loading import ROW_CODES, stop_for
from tunesmith.data.rows import load
from tunesmith.language.identify import common
from tunesmith.models import catalogue, fitness
from tunesmith.models.catalogue import Entry
from tunesmith.models.selection import speaks
from tunesmith.tasks.task import Task

_LOOKED_AT = 1000
_COMMON = 0.1
_FLOAT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What of a file decides about models; `tokens` is an estimate of the length that 99 % do not exceed."""

    rows: int
    labels: int
    languages: tuple[str, ...]
    tokens: int


def look(task_name: str, file: Path) -> Rows:
    """Read a file as the task would.

    Raises:
        RecipeError: R06 when there is no such task.
        NotFoundError, DataError: when the file cannot be learned from.
    """
    task: Task = components.tasks.get(task_name)()
    data = Data.model_validate({"source": str(file.absolute()), "on_error": "drop"})
    loaded = load(data, shape=task.shape, base=file.absolute().parent)
    stop_for([problem for problem in loaded.problems if problem.code not in ROW_CODES])
    texts = task.texts(loaded.frame)
    # From all over: the texts of pairs are first all of one side.
    languages = common(texts[:: max(1, len(texts) // _LOOKED_AT)], least=_COMMON)
    labels = loaded.frame["label"].n_unique() if "label" in loaded.frame.columns else 0
    lengths = [_tokens(one) for one in texts]
    longest = int(np.quantile(lengths, 0.99)) if lengths else 0
    return Rows(rows=loaded.frame.height, labels=labels, languages=tuple(languages), tokens=longest)


def _tokens(words: str) -> int:
    """About how many tokens a text has: one for a Chinese character, one for four other characters."""
    chinese = sum("\u3400" <= character <= "\u9fff" for character in words)
    return chinese + -(-(len(words) - chinese) // 4)


def rank(
    task: str,
    rows: Rows,
    *,
    memory_bytes: int,
    languages: Sequence[str] = (),
    latency_ms: float | None = None,
) -> list[dict[str, Any]]:
    """Models from the one that suits best, each with `reasons`: pairs of a code and its values."""
    wanted = tuple(languages) or rows.languages
    speed = Speed.measure() if latency_ms is not None else None
    found = []
    for entry in catalogue.entries().values():
        if task not in entry.tasks or not all(speaks(list(entry.languages), one) for one in wanted):
            continue
        fit = fitness.of(
            entry.shape,
            entry.kind,
            context=entry.context,
            memory_bytes=memory_bytes,
            length=rows.tokens or None,
        )
        milliseconds = speed.of(entry, rows.tokens) if speed else None
        too_slow = latency_ms is not None and milliseconds is not None and milliseconds > latency_ms
        if fit.trains is not None and not too_slow:
            found.append((entry, fit, milliseconds))
    found.sort(key=lambda one: _order(one[0], one[1], rows))
    return [_suggestion(entry, fit, rows, wanted, slow) for entry, fit, slow in found]


def _order(entry: Entry, fit: fitness.Fit, rows: Rows) -> tuple[bool, bool, bool, bool, int]:
    """Rows fit, a plain licence, made for the language, every weight trains: false comes first; then size."""
    return (
        entry.shape is not None and entry.context < rows.tokens,
        entry.licence.startswith("LicenseRef-"),
        "multilingual" in entry.languages,
        fit.trains != "full",
        -entry.parameters,
    )


def _suggestion(
    entry: Entry, fit: fitness.Fit, rows: Rows, wanted: Sequence[str], milliseconds: float | None
) -> dict[str, Any]:
    reasons: list[tuple[str, dict[str, Any]]] = [("languages", {"languages": ", ".join(wanted) or "-"})]
    if entry.shape is not None:
        covers = "context" if entry.context >= rows.tokens else "short_context"
        reasons.append((covers, {"context": entry.context, "tokens": rows.tokens}))
    need = fit.full_bytes if fit.trains == "full" else fit.lora_bytes
    reasons.append((f"trains_{fit.trains}", {"gib": f"{need / 2**30:.1f}"}))
    own = entry.licence.startswith("LicenseRef-")
    reasons.append(
        ("own_licence" if own else "licence", {"licence": entry.licence.removeprefix("LicenseRef-")})
    )
    if milliseconds is not None:
        unit = "speed_token" if entry.kind == "language" else "speed_text"
        reasons.append((unit, {"milliseconds": f"{milliseconds:.1f}"}))
    return {
        "model": entry.name,
        "parameters": entry.parameters * 10**6,
        "fit": fit.as_dict(),
        "milliseconds": milliseconds,
        "reasons": reasons,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """How fast this machine multiplies (operations a second) and reads (bytes a second)."""

    operations: float
    reading: float

    @classmethod
    def measure(cls) -> Speed:
        """A few products and sums, some hundredths of a second."""
        a = np.ones((768, 768), dtype=np.float32)
        long = np.ones(16 * 2**20, dtype=np.float32)
        product, total = _fastest(lambda: a @ a), _fastest(long.sum)
        return cls(operations=2 * 768**3 / product, reading=long.nbytes / total)

    def of(self, entry: Entry, tokens: int) -> float:
        """Milliseconds for a text of an encoder, or a token of a decoder, for which all weights are read."""
        if entry.shape is None:
            return 0.0
        if entry.kind == "language":
            return 1000 * _FLOAT * entry.shape.parameters / self.reading
        return 1000 * 2 * entry.shape.blocks * max(1, tokens) / self.operations


def _fastest(work: Any) -> float:
    times = []
    for _ in range(5):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times[1:])
