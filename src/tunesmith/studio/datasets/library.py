"""The data sets of a workspace, each in a folder: the file, what was recognised of it, its rows in pieces."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from tunesmith.core import durable
from tunesmith.core.errors import NotFoundError, TunesmithError
from tunesmith.core.workspace import Workspace
from tunesmith.data.mapping import mapper, recognise
from tunesmith.data.reading import RawFile, open_file
from tunesmith.studio.datasets import rows
from tunesmith.workflow.dataset.section import Section, of_files, shape_of
from tunesmith.workflow.initial import usual_task

_ABOUT = "about.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A data set: `path` is its file, `pieces` how many rows each piece of it has.

    `shape`, `mapping` and `task` are what was recognised, or chosen; `problem` says why nothing was.
    """

    id: str
    name: str
    path: str
    bytes: int
    format: str
    encoding: str | None
    delimiter: str | None
    columns: list[str]
    pieces: list[int]
    broken: int
    shape: str | None
    kind: str | None
    mapping: dict[str, str]
    chosen: dict[str, str]
    task: str | None
    problem: dict[str, Any] | None
    parent: str | None
    by: str
    created: float

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(self.pieces)

    def section(self, **settings: Any) -> Section:
        """The data set as the data section of a recipe."""
        return of_files([self.path], task=self.task, fields=self.chosen, **settings)


def folder(workspace: Workspace, identity: str) -> Path:
    """Where a data set is."""
    return workspace.root / "datasets" / identity


def pieces(workspace: Workspace, identity: str) -> Path:
    """Where its rows are, ready to be paged."""
    return folder(workspace, identity) / "rows"


def found(workspace: Workspace) -> list[Dataset]:
    """All data sets, newest first."""
    places = (workspace.root / "datasets").glob(f"*/{_ABOUT}")
    return sorted(map(_read, places), key=lambda one: one.created, reverse=True)


def find(workspace: Workspace, identity: str) -> Dataset:
    """The data set with this id.

    Raises:
        NotFoundError: W13 when there is none.
    """
    place = folder(workspace, identity) / _ABOUT
    if not re.fullmatch(r"[\w-]{1,80}", identity) or not place.exists():
        raise NotFoundError("W13", id=identity)
    return _read(place)


def take_in(
    workspace: Workspace,
    file: Path,
    *,
    name: str = "",
    task: str | None = None,
    fields: Mapping[str, str] | None = None,
    move: bool = False,
    parent: str | None = None,
    by: str = "",
) -> Dataset:
    """Make a data set of a file, which is moved into it, or stays where it is.

    Raises:
        NotFoundError, DataError: when the file cannot be read.
        RecipeError: R06 when there is no such task.
    """
    called = name.strip() or file.name.partition(".")[0]
    identity = f"{_slug(called)}-{secrets.token_hex(3)}"
    place = folder(workspace, identity)
    try:
        raw = open_file(file)
        counts = rows.write(raw, place / "rows")
        seen = _recognised(raw, task, dict(fields or {}))
        if move:
            home = place / "file"  # apart from what is kept beside it, whatever it is called
            home.mkdir()
            file = Path(shutil.move(file, home / file.name))
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    made = Dataset(
        id=identity, name=called, path=str(file.absolute()), bytes=file.stat().st_size, format=raw.format,
        encoding=raw.encoding, delimiter=raw.delimiter, columns=list(raw.sample.frame.columns),
        pieces=counts, broken=len(raw.sample.broken), chosen=dict(fields or {}), parent=parent, by=by,
        created=time.time(), **seen,
    )  # fmt: skip
    durable.write_json(place / _ABOUT, asdict(made))
    return made


def remap(workspace: Workspace, old: Dataset, task: str | None, fields: Mapping[str, str]) -> Dataset:
    """The same data set with another task or mapping."""
    seen = _recognised(open_file(Path(old.path)), task, dict(fields))
    made = Dataset(**{**asdict(old), "chosen": dict(fields), **seen})
    durable.write_json(folder(workspace, old.id) / _ABOUT, asdict(made))
    return made


def remove(workspace: Workspace, dataset: Dataset) -> None:
    """Delete a data set; a file that was never moved into it stays."""
    shutil.rmtree(folder(workspace, dataset.id))


def _recognised(raw: RawFile, task: str | None, fields: dict[str, str]) -> dict[str, Any]:
    """What the rows are, which column is which field, and what one trains on them."""
    from tunesmith.studio.jobs.working import told

    try:
        shape = shape_of(task) if task else recognise(raw.sample)
        mapped = mapper(raw.sample, shape, fields)
    except TunesmithError as error:
        if task or fields:
            raise
        return {"shape": None, "kind": None, "mapping": {}, "task": None, "problem": told(error)}
    return {
        "shape": shape, "kind": mapped.kind, "mapping": dict(mapped.mapping),
        "task": task or usual_task(shape), "problem": None,
    }  # fmt: skip


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "data"


def _read(place: Path) -> Dataset:
    values = json.loads(place.read_text("utf-8"))
    return Dataset(**{each.name: values[each.name] for each in fields(Dataset)})
