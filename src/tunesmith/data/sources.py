"""From `data.source` to files on disk."""

from __future__ import annotations

import glob
from pathlib import Path

from tunesmith.core.errors import NotFoundError, RecipeError
from tunesmith.core.recipe import Data

WHOLE = "all"
"""The name under which a source stands that is not divided yet."""


def source_paths(data: Data, base: Path) -> dict[str, list[Path]]:
    """The files of each split (`all` when the source is not divided).

    A relative path or glob is looked up in `base` first, then in the current folder.

    Raises:
        RecipeError: R14 when the splits do not go together.
        NotFoundError: D01 for a file that does not exist.
    """
    check_splits(data)
    return {
        split: [path for entry in entries for path in find(entry.path, base)]
        for split, entries in data.source.items()
    }


def check_splits(data: Data) -> None:
    """Given splits need `train`, and nothing beside `all`.

    Raises:
        RecipeError: R14.
    """
    given = set(data.source)
    if given != {WHOLE} and (WHOLE in given or "train" not in given):
        raise RecipeError("R14", field="data.source", given=", ".join(sorted(given)))


def find(pattern: str, base: Path) -> list[Path]:
    """The file of that name, or all files that match it as a glob, sorted.

    Raises:
        NotFoundError: D01 when there is none.
    """
    roots = tuple(dict.fromkeys((base, Path())))
    for root in roots:
        if (path := root / pattern).exists():
            return [path]
    for root in roots:
        matches = (Path(match) for match in glob.glob(str(root / pattern), recursive=True))
        if files := sorted(path for path in matches if path.is_file()):
            return files
    raise NotFoundError("D01", file=base / pattern)


def shown(path: Path, base: Path) -> str:
    """A path as reports and ledgers have it: relative to `base` when below it, the same anywhere."""
    return str(path.relative_to(base) if path.is_relative_to(base) else path)
