"""The descriptions of data sets that LLaMA-Factory keeps in `dataset_info.json`, as sources.

`dataset_info.json#name` is the file or folder of that entry; its `columns` and `tags` become fields.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.core.errors import DataError, NotFoundError
from tunesmith.core.registry import suggestion
from tunesmith.data import folders
from tunesmith.data.source_file import SourceFile

_FIELDS = {
    "messages": "messages", "system": "system", "tools": "tools", "prompt": "prompt", "query": "input",
    "response": "completion", "history": "history", "chosen": "chosen", "rejected": "rejected",
    "kto_tag": "desirable",
}  # fmt: skip
"""What our fields are called there."""
_ELSEWHERE = ("hf_hub_url", "ms_hub_url", "om_hub_url", "cloud_file_name", "script_url")


def is_description(path: Path) -> bool:
    """Whether a file describes data sets; Hugging Face has other files of that name."""
    if path.name != folders.INFO:
        return False
    try:
        return any(_is_entry(entry) for entry in _entries(path).values())
    except DataError:
        return False


def files(path: Path, name: str | None) -> list[SourceFile]:
    """The files of the entry `name`; without a name, of the only entry that has any.

    Raises:
        NotFoundError: D01 when the file that an entry names does not exist.
        DataError: D43 when there is no such entry, D92 when none of several is named, D44 when it is not on
            this computer, D45 when the description cannot be read.
    """
    entries = _entries(path)
    usable = [known for known, entry in entries.items() if isinstance(entry, dict) and "file_name" in entry]
    if name is None and len(usable) == 1:
        name = usable[0]
    if name is None:
        known_names = usable or sorted(entries)
        raise DataError("D92", file=path, known=", ".join(known_names), first=next(iter(known_names), "?"))
    entry = entries.get(name)
    if not isinstance(entry, dict):
        values = suggestion(name, usable or sorted(entries))
        raise DataError("D43", file=path, name=name, **values)
    if not isinstance(entry.get("file_name"), str):
        address = next((str(entry[key]) for key in _ELSEWHERE if key in entry), "?")
        raise DataError("D44", file=path, name=name, address=address)
    return [_described(file, path, entry) for file in _files_at(path.parent / entry["file_name"])]


def _files_at(path: Path) -> list[SourceFile]:
    if path.is_dir():
        return folders.data_files(path)
    if not path.is_file():
        raise NotFoundError("D01", file=path)
    return [SourceFile(path=path, part=folders.part_of(path), beside=folders.beside(path))]


def _described(file: SourceFile, info: Path, entry: Mapping[str, Any]) -> SourceFile:
    columns, tags, limit = entry.get("columns"), entry.get("tags"), entry.get("num_samples")
    fields = {_FIELDS[key]: str(value) for key, value in _pairs(columns) if key in _FIELDS and value}
    fields |= {key: str(value) for key, value in _pairs(tags) if value}
    limit = limit if isinstance(limit, int) and limit > 0 else None
    return dataclasses.replace(file, fields=fields, limit=limit, beside=(*file.beside, info))


def _pairs(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []


def _entries(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError("D45", file=path, reason=str(error)) from error
    if not isinstance(content, dict):
        raise DataError("D45", file=path, reason=type(content).__name__)
    return content


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and any(key in entry for key in ("file_name", *_ELSEWHERE))
