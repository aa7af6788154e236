"""Marked spans: how many of each label, what they look like, and rows without any."""

from __future__ import annotations

from collections import Counter
from typing import Any

import polars as pl

_EXAMPLES = 8
_SHOWN = 60


class Entities:
    """Counts over rows with spans."""

    def __init__(self) -> None:
        self._rows = 0
        self._without = 0
        self._without_tokens = 0
        self._counts: Counter[str] = Counter()
        self._characters: Counter[str] = Counter()
        self._examples: dict[str, dict[str, None]] = {}

    def add(self, frame: pl.DataFrame, split: str) -> None:
        """Take a batch of tagged rows; the split does not matter."""
        del split
        self._rows += frame.height
        self._without += int((frame["spans"].list.len().fill_null(0) == 0).sum())
        if "tokens" in frame.columns:
            self._without_tokens += frame["tokens"].null_count()
        marked = _marked(frame)
        sizes = marked.group_by("label").agg(pl.len(), (pl.col("end") - pl.col("start")).sum().alias("chars"))
        for label, count, characters in sizes.iter_rows():
            self._counts[label] += count
            self._characters[label] += characters
        self._take_examples(marked)

    def _take_examples(self, marked: pl.DataFrame) -> None:
        wanted = [label for label in self._counts if len(self._examples.get(label, {})) < _EXAMPLES]
        few = marked.filter(pl.col("label").is_in(wanted)).unique(["label", "said"], maintain_order=True)
        for label, said in few.select("label", "said").iter_rows():
            known = self._examples.setdefault(label, {})
            if len(known) < _EXAMPLES:
                known[said] = None

    def result(self) -> dict[str, Any]:
        """Every label with its spans, most frequent first."""
        ranked = sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))
        return {
            "spans": sum(self._counts.values()),
            "rows_without": self._without,
            "rows_without_tokens": self._without_tokens,
            "values": [
                {
                    "label": label,
                    "spans": count,
                    "mean_characters": round(self._characters[label] / count, 1),
                    "examples": list(self._examples[label]),
                }
                for label, count in ranked
            ],
        }


def _marked(frame: pl.DataFrame) -> pl.DataFrame:
    """One row for each span, with what it says."""
    spans = frame.select("text", "spans").explode("spans").filter(pl.col("spans").is_not_null())
    said = pl.col("text").str.slice(
        pl.col("start"), pl.min_horizontal(pl.col("end") - pl.col("start"), _SHOWN)
    )
    return spans.unnest("spans").with_columns(said=said)
