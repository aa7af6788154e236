"""From `data.source` to files on disk.

An entry is a file, a pattern, a folder (`data.folders`), `dataset_info.json#name` (`data.dataset_info`), or
text files whose lines belong together: `news.{en,zh}.txt`.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunesmith.core.errors import DataError, NotFoundError, RecipeError
from tunesmith.core.recipe import Data
from tunesmith.data import dataset_info, folders
from tunesmith.data.source_file import SourceFile

__all__ = [
    "WHOLE", "Located", "SourceFile", "check_splits", "find", "locate", "located", "shown", "source_paths",
    "splits_of",
]  # fmt: skip

WHOLE = "all"
"""The name under which a source stands that is not divided yet."""

_BRACES = re.compile(r"([^{}]*)\{([^{},]+(?:,[^{},]+)+)\}([^{}]*)")


def source_paths(data: Data, base: Path) -> dict[str, list[Path]]:
    """Every file that is read for each split (`all` when the source is not divided).

    A relative path or pattern is looked up in `base` first, then in the current folder.

    Raises:
        RecipeError: R14 when the splits do not go together.
        NotFoundError: D01 for a file that does not exist.
        DataError: as `locate`.
    """
    check_splits(data)
    return {
        split: [path for entry in entries for path in _paths(locate(entry.path, base, split))]
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
    """Every file that is read for an entry.

    Raises:
        NotFoundError: D01 when there is none.
        DataError: as `locate`.
    """
    return _paths(locate(pattern, base))


def locate(pattern: str, base: Path, split: str = WHOLE) -> list[SourceFile]:
    """The files of an entry, in order; of data that is divided into parts, those that `located` takes.

    Raises:
        NotFoundError, DataError: as `located`.
    """
    return located(pattern, base, split).files


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """The files of an entry, and the names of the parts of its data set that have no use."""

    files: list[SourceFile]
    left_out: tuple[str, ...] = ()


def located(pattern: str, base: Path, split: str = WHOLE) -> Located:
    """The files of an entry, in order; of data that is divided into parts, those of the given `split` only.

    With `all` they are those for training, validation and testing: the reviews without a label of IMDB are
    a part by themselves, and no reason to divide the other parts anew.

    Raises:
        NotFoundError: D01 when there is none.
        DataError: D43-D45 for a dataset_info.json that cannot be used, D46 for a folder without data, D84
            for one without that part, D85 for one that wants files outside of it.
    """
    roots = tuple(dict.fromkeys((base, Path())))
    files = _located(pattern, roots)
    if files is None:
        raise NotFoundError("D01", file=base / pattern)
    if split == WHOLE:
        return _divided(files)
    parts = dict.fromkeys(file.part for file in files)
    # A file that is named by itself, or files of one part, may be used as what one likes.
    is_named = len(parts) == 1 and not _is_folder(pattern, roots)
    if is_named or not any(part in folders.PARTS for part in parts):
        return Located(files=files)
    if split not in parts:
        raise DataError("D84", file=base / pattern, split=split, known=", ".join(filter(None, parts)))
    return Located(files=[file for file in files if file.part == split])


def _divided(files: Sequence[SourceFile]) -> Located:
    """The parts that have a use of their own, when every file is a part and one is for training."""
    parts = dict.fromkeys(file.part for file in files)
    if None in parts or "train" not in parts:
        return Located(files=[*files])
    others = tuple(part for part in parts if part and part not in folders.PARTS)
    return Located(files=[file for file in files if file.part in folders.PARTS], left_out=others)


def splits_of(files: Sequence[tuple[str, SourceFile]]) -> list[str]:
    """The split of each file, from the split that it is given for.

    A source that is not divided (`all`) is, when every file is a part of a data set and one is for training.
    """
    parts = [file.part for split, file in files if split == WHOLE and file.part in folders.PARTS]
    if len(parts) == len(files) and "train" in parts:
        return [part for part in parts if part]
    return [split for split, _ in files]


def shown(path: Path, base: Path) -> str:
    """A path as reports and ledgers have it: relative to `base` when below it, the same anywhere."""
    return str(path.relative_to(base) if path.is_relative_to(base) else path)


def _paths(files: Iterable[SourceFile]) -> list[Path]:
    return list(dict.fromkeys(path for file in files for path in file.paths))


def _is_folder(pattern: str, roots: Sequence[Path]) -> bool:
    return next((path.is_dir() for root in roots if _exists(path := root / pattern)), False)


def _located(pattern: str, roots: Sequence[Path]) -> list[SourceFile] | None:
    for root in roots:
        if _exists(path := root / pattern):
            return folders.data_files(path) if path.is_dir() else _file(path)
    before, _, name = pattern.rpartition("#")
    for root in roots:
        if before and _exists(path := root / before):
            return dataset_info.files(path, name)
    for root in roots:
        if aligned := _aligned(root, pattern):
            return [aligned]
    for root in roots:
        matches = (Path(match) for match in glob.glob(str(root / pattern), recursive=True))
        if files := sorted(path for path in matches if path.is_file()):
            # A pattern for everything means the data; one for descriptions means them.
            data = [path for path in files if folders.is_data(Path(path.name))]
            return [SourceFile(path=path, part=folders.part_of(path)) for path in data or files]
    return None


def _file(path: Path) -> list[SourceFile]:
    if dataset_info.is_description(path):
        return dataset_info.files(path, None)
    return [SourceFile(path=path, part=folders.part_of(path), beside=folders.beside(path))]


def _aligned(root: Path, pattern: str) -> SourceFile | None:
    """The files that one group of alternatives in braces names, where at least the first exists."""
    match = _BRACES.fullmatch(pattern)
    if match is None:
        return None
    names = match[2].split(",")
    files = tuple((name, root / f"{match[1]}{name}{match[3]}") for name in names)
    missing = [path for _, path in files if not _exists(path)]
    if len(missing) == len(files):
        return None
    if missing:
        raise NotFoundError("D01", file=missing[0])
    return SourceFile(path=root / pattern, aligned=files)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long, a folder that may not be entered
        return False
