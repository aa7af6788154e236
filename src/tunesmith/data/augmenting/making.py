"""New rows from old ones: which rows, by which augmenter, and what became of each attempt.

What is made of a row is a function of the seed, of the row and of the augmenter, so neither the size of
batches nor the order of rows shows in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from tunesmith.core.chosen import Component
from tunesmith.data.augmenting.augmenter import Find, Made, Way, opened
from tunesmith.data.augmenting.passage import Words, dice_of
from tunesmith.data.augmenting.rows import Place, Row, changed, passages_of, texts_of

ORIGIN = "_augmented"
"""The column with the name of the augmenter that made a row; null in rows that were read."""
MADE, UNCHANGED = "made", "unchanged"

Counts = dict[str, Counter[str]]
"""How many rows of each augmenter were made, and how many were not for which reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Makes `copies` rows of a `share` of rows with each augmenter. `others` has entities by label."""

    by: Sequence[Component]
    seed: int
    find: Find
    copies: int = 1
    share: float = 1.0
    others: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])

    def make(self, frames: Iterable[pl.DataFrame], counts: Counts) -> Iterator[pl.DataFrame]:
        """The new rows of each batch, with `ORIGIN`; `_row` is that of the row they were made of."""
        ways = [(component.name, opened(component, self.find)) for component in self.by]
        for frame in frames:
            rows = [row for row in frame.to_dicts() if self._is_chosen(row)]
            cut = Words([text for row in rows for _, text in texts_of(row)])
            found = [
                {**new, ORIGIN: name}
                for number, (name, way) in enumerate(ways)
                for copy in range(self.copies)
                for new in self._made(
                    rows, cut, f"{number}:{name}:{copy}", way, counts.setdefault(name, Counter())
                )
            ]
            yield pl.DataFrame(found, schema={**frame.schema, ORIGIN: pl.String})

    def _is_chosen(self, row: Row) -> bool:
        return self.share >= 1 or dice_of(self.seed, "share", content(row)).random() < self.share

    def _made(
        self, rows: Sequence[Row], cut: Words, key: str, way: Way, counts: Counter[str]
    ) -> Iterator[Row]:
        asked = [passages_of(row, dice_of(self.seed, key, content(row)), self.others, cut) for row in rows]
        flat = [passage for passages in asked for passage in passages.values()]
        answers = iter(way(flat))
        for row, passages in zip(rows, asked, strict=True):
            made: dict[Place, Made] = {place: next(answers) for place in passages}
            new = changed(row, passages, made)
            counts[UNCHANGED if new is None else MADE] += 1
            if new is not None:
                yield new


def content(row: Row) -> str:
    """What tells a row from others: all it says, and not its number."""
    return repr(sorted((name, value) for name, value in row.items() if not name.startswith("_")))


def entities(frames: Iterable[pl.DataFrame]) -> dict[str, list[str]]:
    """The distinct surfaces of spans by label, sorted."""
    found: dict[str, set[str]] = {}
    for frame in frames:
        for text, spans in frame.select("text", "spans").iter_rows():
            for span in spans or ():
                found.setdefault(span["label"], set()).add(text[span["start"] : span["end"]])
    return {label: sorted(surfaces) for label, surfaces in sorted(found.items())}
