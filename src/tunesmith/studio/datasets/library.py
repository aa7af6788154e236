"""The data sets of a workspace, each in a folder: the file, what was recognised of it, its rows in pieces."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from tunesmith.core import durable
from tunesmith.core.errors import NotFoundError, TunesmithError
from tunesmith.core.workspace import Workspace
from tunesmith.data.mapping import mapper
from tunesmith.data.reading import open_file
from tunesmith.data.sources import SourceFile, locate
from tunesmith.studio.datasets import rows
from tunesmith.workflow.dataset.section import Section, common_shape, of_files, shape_of
from tunesmith.workflow.initial import usual_task

_ABOUT, _FILE = "about.json", "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A data set: `path` is its file, `pieces` how many rows each piece of it has.

    `shape`, `mapping` and `task` are what was recognised, or chosen; `problem` says why nothing was. `made`
    says how it came out of its `parent`: the cleaners, and what became of the rows.
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
    made: dict[str, Any] | None = None

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


def overlap(workspace: Workspace, one: Dataset, other: Dataset) -> Path:
    """Where it is kept what of `other` is in `one` too."""
    return folder(workspace, one.id) / "overlap" / f"{other.id}.json"


def found(workspace: Workspace) -> list[Dataset]:
    """All data sets, newest first."""
    # Not those that are being made, in folders with a dot.
    places = (workspace.root / "datasets").glob(f"[!.]*/{_ABOUT}")
    return sorted(_read_all(places), key=lambda one: one.created, reverse=True)


def find(workspace: Workspace, identity: str) -> Dataset:
    """The data set with this id.

    Raises:
        NotFoundError: W13 when there is none.
    """
    place = folder(workspace, identity) / _ABOUT
    if not re.fullmatch(r"[\w-]{1,80}", identity) or not place.exists():
        raise NotFoundError("W13", id=identity)
    return _read(place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a new data set comes from, and what is said of it; what is not said is recognised.

    `path` is a file or a folder of files, which are moved into the data set with `move`, and stay otherwise.
    """

    path: Path
    name: str = ""
    task: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    move: bool = False
    parent: str | None = None
    by: str = ""
    made: dict[str, Any] | None = None


def take_in(
    workspace: Workspace, origin: Origin, note: Callable[[float], None] = lambda part: None
) -> Dataset:
    """Make a data set; `note` is told the part of the bytes that was read.

    Raises:
        NotFoundError, DataError: when the files cannot be read.
        RecipeError: R06 when there is no such task.
    """
    called = origin.name.strip() or origin.path.name.partition(".")[0]
    identity = f"{_slug(called)}-{secrets.token_hex(3)}"
    place = folder(workspace, identity)
    files = locate(str(origin.path.absolute()), Path())
    size = sum(path.stat().st_size for file in files for path in file.paths)
    with durable.scratch(place.parent) as made:
        counts, columns, broken = rows.write(files, made / "rows", note=_part_of(size, note))
        seen = _recognised(files, origin.task, dict(origin.fields))
        raw = open_file(files[0])
        dataset = Dataset(
            id=identity, name=called, path=str(_home(origin, place)), bytes=size, format=raw.format,
            encoding=raw.encoding, delimiter=raw.delimiter, columns=columns, pieces=counts, broken=broken,
            chosen=dict(origin.fields), parent=origin.parent, by=origin.by, created=time.time(),
            made=origin.made, **seen,
        )  # fmt: skip
        if origin.move:
            (made / _FILE).mkdir()
            shutil.move(origin.path, made / _FILE / origin.path.name)
        durable.write_json(made / _ABOUT, asdict(dataset))
        made.rename(place)
    return dataset


def _home(origin: Origin, place: Path) -> Path:
    # Apart from what is kept beside it, whatever it is called.
    return place / _FILE / origin.path.name if origin.move else origin.path.absolute()


def _part_of(size: int, note: Callable[[float], None]) -> Callable[[int], None]:
    return lambda read: note(min(0.99, read / max(1, size)))


def remap(workspace: Workspace, old: Dataset, task: str | None, fields: Mapping[str, str]) -> Dataset:
    """The same data set with another task or mapping."""
    seen = _recognised(locate(old.path, Path()), task, dict(fields))
    made = Dataset(**{**asdict(old), "chosen": dict(fields), **seen})
    durable.write_json(folder(workspace, old.id) / _ABOUT, asdict(made))
    return made


def remove(workspace: Workspace, dataset: Dataset) -> None:
    """Delete a data set; a file that was never moved into it stays."""
    shutil.rmtree(folder(workspace, dataset.id))


def _recognised(files: Sequence[SourceFile], task: str | None, fields: dict[str, str]) -> dict[str, Any]:
    """What the rows are, which column is which field, and what one trains on them."""
    from tunesmith.studio.jobs.working import told

    try:
        shape = shape_of(task) if task else common_shape(files)
        mapped = mapper(open_file(files[0]).sample, shape, fields)
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


def _read_all(places: Iterable[Path]) -> Iterator[Dataset]:
    for place in places:
        with suppress(FileNotFoundError):  # removed just now
            yield _read(place)


def _read(place: Path) -> Dataset:
    values = json.loads(place.read_text("utf-8"))
    return Dataset(**{each.name: values[each.name] for each in fields(Dataset) if each.name in values})
