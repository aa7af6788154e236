"""The data files of a folder: all of them, sorted, or those that a Hugging Face data set consists of.

Knows the layouts of `save_to_disk` (`dataset_dict.json`, `state.json`) and of Parquet shards
(`train-00000-of-00002.parquet`); licences, descriptions, programs, checksums and ledgers are no data.
"""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path, PureWindowsPath
from typing import Any

from tunesmith.core.errors import DataError
from tunesmith.data.source_file import SourceFile

INFO, STATE, DICT = "dataset_info.json", "state.json", "dataset_dict.json"
PARTS = ("train", "validation", "test")
"""The parts of a data set that have a use of their own; others keep the name that they have."""

_CALLED = {
    "train": "train", "training": "train", "test": "test",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
}  # fmt: skip
_SHARD = re.compile(r"(\w+)-\d{5}-of-\d{5}(?:-[0-9a-f]+)?\.(?:parquet|arrow)")
_NO_DATA = re.compile(
    r"(?:licen[cs]e|readme|source\.md|citation|copying|notice|changelog|authors|contributing"
    r"|checksums?|(?:sha\d+|md5)sums?).*|.*\.(?:md|rst|py|ipynb|sh|ya?ml|toml|lock|sha\d+|md5)"
    r"|(?:dataset_infos?|dataset_dict|state)\.json|cache-.*\.arrow|(?:.*\.)?ledger\.parquet",
    re.IGNORECASE,
)


def data_files(folder: Path) -> list[SourceFile]:
    """The data files in a folder and the folders in it.

    Raises:
        DataError: D46 when there are none, D85 when a description names one outside of the folder.
    """
    divided = _content(folder / DICT).get("splits")
    if isinstance(divided, list):
        files = [
            _in_part(file, name) for name in map(str, divided) for file in _saved(_below(folder, name, DICT))
        ]
    else:
        files = _saved(folder) or _others(folder)
    if not files:
        raise DataError("D46", file=folder)
    return files


def part_of(path: Path) -> str | None:
    """The part of its data set that a shard is: one of `PARTS`, or what it is called."""
    match = _SHARD.fullmatch(path.name)
    return _part(match[1]) if match else None


def beside(path: Path) -> tuple[Path, ...]:
    """The description of an Arrow file, where there is one."""
    info = path.with_name(INFO)
    return (info,) if path.suffix == ".arrow" and info.is_file() else ()


def _saved(folder: Path) -> list[SourceFile]:
    """The files of a saved data set, in the order of its rows."""
    listed = _content(folder / STATE).get("_data_files")
    if not isinstance(listed, list):
        return []
    names = [str(item["filename"]) for item in listed if isinstance(item, dict) and "filename" in item]
    paths = [_below(folder, name, STATE) for name in names]
    return [SourceFile(path=path, beside=beside(path)) for path in paths]


def _below(folder: Path, name: str, description: str) -> Path:
    """A path that a description names. Links are followed: a download cache keeps its files elsewhere."""
    path = PureWindowsPath(name)  # which knows both separators
    if path.anchor or ".." in path.parts:
        raise DataError("D85", file=folder / description, name=name)
    return folder / name


def _in_part(file: SourceFile, name: str) -> SourceFile:
    return dataclasses.replace(file, part=_part(name))


def _part(name: str) -> str:
    return _CALLED.get(name.casefold(), name)


def _others(folder: Path) -> list[SourceFile]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and is_data(path.relative_to(folder)))
    parts = _parts(paths)
    return [SourceFile(path=p, part=part, beside=beside(p)) for p, part in zip(paths, parts, strict=True)]


def _parts(paths: list[Path]) -> list[str | None]:
    """The part that each file is: by what they are called if every one is called like a part."""
    called = [_CALLED.get(path.name.partition(".")[0].casefold()) for path in paths]
    whole = None not in called and {"train"} < set(called)
    return called if whole else [part_of(path) for path in paths]


def is_data(path: Path) -> bool:
    """Whether a file may hold rows, by its path below the folder at hand."""
    hidden = any(part.startswith((".", "__")) for part in path.parts)
    return not hidden and not _NO_DATA.fullmatch(path.name)


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
