"""Versions of the rows that were learned from use: files that are never changed, and what reviewers decided.

`.tunesmith/feedback/NAME/0001.jsonl` and so on; a recipe names the newest as `feedback:NAME`, and its lock
the sha256 of the one it was made with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from tunesmith.core import durable
from tunesmith.core.errors import DataError, NotFoundError, RecipeError
from tunesmith.core.recipe import Recipe
from tunesmith.core.workspace import Workspace
from tunesmith.workflow.feedback.answered import Row
from tunesmith.workflow.feedback.opinions import ID

PREFIX = "feedback:"
NAME = r"^\w[\w.-]{0,63}$"
"""What a model is called whose feedback can be kept: in a folder of that name, and in no other."""
_LEARNED = "learned.json"
USE = "use"
"""The column of a reviewer: true, false, or null where nobody decided yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version: its number, its file, how many rows.

    `new` are those that the last candidate has not learned as they are now, and those that it has learned
    and that are refused since.
    """

    number: int
    path: Path
    rows: int
    new: int


def may_have(name: str) -> bool:
    """Whether feedback can be kept of a model that is called so."""
    return bool(re.fullmatch(NAME, name)) and not name.endswith("\n")


def folder_of(workspace: Workspace, name: str) -> Path:
    """Where the versions of a model's feedback are.

    Raises:
        RecipeError: A15 for a name that is no model's, which could lead to any other folder.
    """
    if not may_have(name):
        raise RecipeError("A15", field="data.source", name=name)
    return workspace.root / "feedback" / name


def _versions(workspace: Workspace, name: str) -> list[Path]:
    return sorted(folder_of(workspace, name).glob("[0-9][0-9][0-9][0-9].jsonl"))


def keep(workspace: Workspace, name: str, rows: Sequence[Row]) -> Version:
    """The newest version, which is a new one if the rows are not those of the last.

    Of several processes that make one at the same time each gets its own.
    """
    folder_of(workspace, name).mkdir(parents=True, exist_ok=True, mode=0o700)
    content, new = _lines(rows), not_learned(workspace, name, rows)
    path = _newest(workspace, name)
    while path is None or path.read_bytes() != content:
        path = folder_of(workspace, name) / f"{int(path.stem) + 1 if path else 1:04d}.jsonl"
        # Whoever comes second finds other rows in it, and takes the next number.
        durable.write_once(path, content)
    return Version(number=int(path.stem), path=path, rows=len(rows), new=new)


def _newest(workspace: Workspace, name: str) -> Path | None:
    found = _versions(workspace, name)
    return found[-1] if found else None


def not_learned(workspace: Workspace, name: str, rows: Sequence[Row]) -> int:
    """How many rows are not as the last candidate learned them, or were learned and are gone."""
    before, now = ({row[ID]: row for row in some} for some in (_learned(workspace, name), rows))
    return sum(before.get(one) != now.get(one) for one in {*before, *now})


def note_learned(workspace: Workspace, name: str, number: int) -> None:
    """Remember up to which version a candidate was trained and judged."""
    durable.write_json(folder_of(workspace, name) / _LEARNED, {"version": number})


def _learned(workspace: Workspace, name: str) -> list[Row]:
    """The rows of the version that the last candidate learned."""
    noted = folder_of(workspace, name) / _LEARNED
    if not noted.is_file():
        return []
    number = int(json.loads(noted.read_text(encoding="utf-8"))["version"])
    return _read(folder_of(workspace, name) / f"{number:04d}.jsonl")


def _lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _read(path: Path) -> list[Row]:
    try:
        found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except FileNotFoundError as error:
        raise NotFoundError("D01", file=path) from error
    except ValueError as error:
        raise DataError("A12", file=path, reason=str(error)) from error
    if any(not isinstance(row, dict) or ID not in row for row in found):
        raise DataError("A12", file=path, reason=ID)
    return found


def write_for_review(rows: Sequence[Row], decided: Mapping[str, Row], path: Path) -> None:
    """All rows in a file, with `USE` as it was decided so far."""
    durable.write_bytes(path, _lines({**row, USE: _use(decided, row)} for row in rows))


def _use(decided: Mapping[str, Row], row: Row) -> bool | None:
    found = decided.get(row[ID])
    return None if found is None else bool(found[USE])


def decisions(workspace: Workspace, name: str) -> dict[str, Row]:
    """What reviewers decided, by the answer that a row comes from."""
    path = folder_of(workspace, name) / "reviewed.json"
    if not path.is_file():
        return {}
    found: dict[str, Row] = json.loads(path.read_text(encoding="utf-8"))
    return found


def review(workspace: Workspace, name: str, file: Path) -> int:
    """Take decisions from a file that `write_for_review` made and somebody edited; how many rows are decided.

    A row with `use: true` counts as it stands in the file, with a label or text that was changed; one with
    `use: false` is not learned.

    Raises:
        NotFoundError: D01 when there is no such file.
        DataError: A12 when it is none of ours, or `use` is neither true, false nor null.
    """
    made = {row[ID]: row for row in _read(file) if row.get(USE) is not None}
    if any(not isinstance(row[USE], bool) for row in made.values()):
        # The word "false" would count as true.
        raise DataError("A12", file=file, reason=USE)
    all_of_them = {**decisions(workspace, name), **made}
    folder_of(workspace, name).mkdir(parents=True, exist_ok=True, mode=0o700)
    durable.write_json(folder_of(workspace, name) / "reviewed.json", all_of_them)
    return len(all_of_them)


def chosen(rows: Iterable[Row], decided: Mapping[str, Row], *, only_reviewed: bool) -> list[Row]:
    """The rows to learn from, as reviewers left them."""
    kept = []
    for row in rows:
        found = decided.get(row[ID])
        if found is None and not only_reviewed:
            kept.append(row)
        elif found is not None and found[USE]:
            kept.append({key: value for key, value in found.items() if key != USE})
    return kept


def located(recipe: Recipe, workspace: Workspace) -> Recipe:
    """The recipe with the newest version where it names `feedback:NAME`; left out where there is none yet.

    Raises:
        NotFoundError: A10 when there is no other source beside it.
        RecipeError: A15 for what is no name of a model.
    """
    named = [entry.path for entries in recipe.data.source.values() for entry in entries]
    if not any(path.startswith(PREFIX) for path in named):
        return recipe
    source = {}
    for split, entries in recipe.data.source.items():
        found = [
            entry.model_copy(update={"path": path})
            for entry in entries
            if (path := _path(entry.path, recipe.data.fields, workspace)) is not None
        ]
        if not found:
            raise NotFoundError("A10", field="data.source", name=entries[0].path.removeprefix(PREFIX))
        source[split] = found
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"source": source})})


def _path(path: str, fields: Mapping[str, str], workspace: Workspace) -> str | None:
    if not path.startswith(PREFIX):
        return path
    found = _versions(workspace, path.removeprefix(PREFIX))
    # All that was said may have been refused.
    return str(_named(found[-1], fields)) if found and found[-1].stat().st_size else None


def _named(path: Path, fields: Mapping[str, str]) -> Path:
    """The version with its columns called as the recipe calls them; a file beside it where they differ."""
    rows = _read(path)
    renamed = [{fields.get(key, key): value for key, value in row.items()} for row in rows]
    if renamed == rows:
        return path
    content = _lines(renamed)
    other = path.with_name(f"{path.stem}-{sha256(content).hexdigest()[:12]}.jsonl")
    if not other.is_file():
        durable.write_bytes(other, content)
    return other
