"""How rows are spread over labels, and labels that look like one written in two ways."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from tunesmith.data.cleaners.labels import label_key

RARE = 5
"""A label with fewer rows can hardly be learnt, and not be divided into parts."""

# A column with more different labels is no column of labels; the rest is counted together.
_MOST = 100_000
_LISTED = 1_000
_TRAIN = "train"


class Labels:
    """Counts of labels, by split."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._known: set[str] = set()
        self._others = 0
        self._unlabelled = 0
        self._rows = 0
        self._per_row: Counter[int] = Counter()

    def add(self, frame: pl.DataFrame, split: str) -> None:
        """Take a batch of labelled or multi-labelled rows."""
        self._rows += frame.height
        if "labels" in frame.columns:
            sizes = frame["labels"].list.len().fill_null(0)
            self._per_row.update(sizes.to_list())
            self._unlabelled += int((sizes == 0).sum())
            labels = frame["labels"].explode().drop_nulls()
        else:
            self._unlabelled += frame["label"].null_count()
            labels = frame["label"].drop_nulls()
        counts = labels.to_frame("label").group_by("label", maintain_order=True).len()
        for label, count in counts.iter_rows():
            self._count(split, label, count)

    def _count(self, split: str, label: str, count: int) -> None:
        if label in self._known or len(self._known) < _MOST:
            self._known.add(label)
            self._counts[split][label] += count
        else:
            self._others += count

    def result(self) -> dict[str, Any]:
        """Every label with its rows, most frequent first, and what is odd about them."""
        total: Counter[str] = Counter()
        for counts in self._counts.values():
            total.update(counts)
        ranked = sorted(total.items(), key=lambda item: (-item[1], item[0]))
        return {
            "count": len(ranked),
            "unlabelled": self._unlabelled,
            "ratio": ranked[0][1] / ranked[-1][1] if ranked else None,
            "rare": [label for label, rows in ranked if rows < RARE][:_LISTED],
            "rare_count": sum(rows < RARE for rows in total.values()),
            "values": [self._entry(label, rows) for label, rows in ranked[:_LISTED]],
            "others": self._others + sum(rows for _, rows in ranked[_LISTED:]),
            "variants": variants(total),
            "unseen": self._unseen(),
            "per_row": {str(size): rows for size, rows in sorted(self._per_row.items())},
        }

    def _entry(self, label: str, rows: int) -> dict[str, Any]:
        by_split = {split: counts[label] for split, counts in self._counts.items()}
        return {"label": label, "rows": rows, "share": rows / max(1, self._rows), "splits": by_split}

    def _unseen(self) -> list[str]:
        """Labels of other parts that no row to train on has."""
        if _TRAIN not in self._counts:
            return []
        others = (label for split, counts in self._counts.items() if split != _TRAIN for label in counts)
        return sorted(set(others) - self._counts[_TRAIN].keys())[:_LISTED]


def variants(counts: Mapping[str, int]) -> list[list[dict[str, Any]]]:
    """Groups of labels that differ in case, width, spaces or hyphens alone, the largest group first."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    labels = list(counts)
    for key, label in zip(label_key(pl.Series(labels, dtype=pl.String)), labels, strict=True):
        groups[key].append(label)
    found = [_ranked(group, counts) for group in groups.values() if len(group) > 1]
    return sorted(found, key=lambda group: (-sum(entry["rows"] for entry in group), group[0]["label"]))


def _ranked(labels: Iterable[str], counts: Mapping[str, int]) -> list[dict[str, Any]]:
    ordered = sorted(labels, key=lambda label: (-counts[label], label))
    return [{"label": label, "rows": counts[label]} for label in ordered]
