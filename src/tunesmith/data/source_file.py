"""One file that a recipe names, with what its source says about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file to read, or files whose lines belong together (`aligned`: column and file of each).

    `fields` says which columns are which fields, as `data.fields` does; it may have fields that the shape at
    hand lacks. `limit` is how many rows are wanted, `part` the part of its data set that the file is (train,
    validation, test), `beside` the files that are read to understand it.
    """

    path: Path
    aligned: tuple[tuple[str, Path], ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    limit: int | None = None
    part: str | None = None
    beside: tuple[Path, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file that is read."""
        return (*(path for _, path in self.aligned), *(() if self.aligned else (self.path,)), *self.beside)
