"""Rows in a shape with the account of where they came from: the data side of the Python interface."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.core import cache, durable
from tunesmith.core.chosen import Component
from tunesmith.core.components import cleaners
from tunesmith.core.recipe import Data, Entry
from tunesmith.core.registry import settings_of
from tunesmith.data import mapping, shapes
from tunesmith.data.cleaning import apply_to_all
from tunesmith.data.identity import asked
from tunesmith.data.loading import stop_for
from tunesmith.data.reading import open_file
from tunesmith.data.rows import load
from tunesmith.data.split import TRAIN, assign


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Rows in one shape (`data.shapes`). A value: every operation returns a new one.

    `provenance` is a sha256 over the content of the file and every operation since.
    """

    frame: pl.DataFrame
    shape: str
    provenance: str

    @classmethod
    def read(
        cls, path: str | Path, shape: str | None = None, fields: Mapping[str, str] | None = None
    ) -> Dataset:
        """The usable rows of a file; `shape` is recognised and `fields` are found when not given.

        Raises:
            NotFoundError: D01 when there is no such file.
            DataError: when it cannot be read or it is not clear which columns to use.
        """
        file = Path(path)
        chosen = shape or mapping.recognise(open_file(file).sample)
        # Rows without label may stay: `clean("drop_unlabelled")` is the caller's to ask for.
        unlabelled = [Component("drop_unlabelled")]
        source = {"all": [Entry(path=str(file))]}
        data = Data(source=source, fields=dict(fields or {}), clean=unlabelled)
        loaded = load(data, shape=chosen, base=Path())
        stop_for(loaded.problems)
        origin = cache.key(file=durable.sha256(file), shape=chosen, fields=data.fields)
        frame = loaded.frame.select(shapes.COLUMNS[chosen])
        return cls(frame=frame, shape=chosen, provenance=origin)

    def __len__(self) -> int:
        return self.frame.height

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows one by one, as dictionaries."""
        return self.frame.iter_rows(named=True)

    def clean(self, name: str, **settings: Any) -> Dataset:
        """What the cleaner `name` leaves.

        Raises:
            RecipeError: R06 when no cleaner has that name.
        """
        checked = settings_of(cleaners.get(name)).model_validate(settings).model_dump()
        numbered = self.frame.with_row_index("_row").cast({"_row": pl.Int64})
        left = apply_to_all(Component(name, checked), numbered).frame.drop("_row")
        return self._after(left, "clean", name=name, settings=checked)

    def take(self, count: int) -> Dataset:
        """The first `count` rows."""
        return self._after(self.frame.head(count), "take", count=count)

    def split(self, *, test: float = 0.1, validation: float = 0.0, seed: int = 0) -> dict[str, Dataset]:
        """`train`, `test` and `validation` by shares of all rows, stratified where there are labels.

        Rows that ask the same are in one part.
        """
        shares = {"test": test, "validation": validation}
        hashes = [cache.key(row=json.dumps(row, ensure_ascii=False)) for row in self.rows()]
        labels = self.frame["label"].to_list() if "label" in self.frame.columns else None
        names = pl.Series(
            assign(hashes, shares, seed=seed, labels=labels, groups=asked(self.frame).to_list()),
            dtype=pl.String,
        )
        parts = {name: self.frame.filter(names == name) for name in (TRAIN, *shares)}
        return {
            name: self._after(frame, "split", part=name, seed=seed, **shares)
            for name, frame in parts.items()
            if len(frame)
        }

    def _after(self, frame: pl.DataFrame, operation: str, **settings: Any) -> Dataset:
        provenance = cache.key(before=self.provenance, operation=operation, **settings)
        return Dataset(frame=frame, shape=self.shape, provenance=provenance)
