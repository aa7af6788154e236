"""What could go: releases, runs, cached stages and what repair put aside, by age, number and size."""

from __future__ import annotations

import os
import stat
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from tunesmith.core import runs
from tunesmith.core.errors import UsageError
from tunesmith.core.store import Store
from tunesmith.core.workspace import Workspace
from tunesmith.workflow.pruning.needed import Needed, needed

Kind: TypeAlias = Literal["release", "run", "cache", "lost"]
KINDS: tuple[Kind, ...] = ("release", "run", "cache", "lost")
_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What goes: older than `days`, beyond the `keep` newest of a name, the oldest down to `size` bytes."""

    kinds: tuple[Kind, ...] = KINDS
    keep: int | None = None
    days: float | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that may go; the newest of each `group` are counted, `bytes` are as if nothing was shared."""

    kind: Kind
    name: str
    group: str
    path: Path
    made: float
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What goes, how many bytes of disk that frees, and how many things are needed and stay."""

    items: tuple[Item, ...]
    freed: int
    needed: int


def choose(workspace: Workspace, rules: Rules) -> Chosen:
    """What the rules take away of what nothing needs.

    Raises:
        UsageError: U17 when there is no rule: nothing goes by accident.
    """
    if rules.keep is None and rules.days is None and rules.size is None:
        raise UsageError("U17")
    store = Store(workspace.database) if workspace.database.exists() else None
    stays = needed(workspace, store) if store else Needed.nothing()
    items = [item for item in _items(workspace, store) if item.kind in rules.kinds]
    free = [item for item in items if not _is_needed(item, stays)]
    chosen = _by_rules(free, rules)
    if rules.size is not None:
        chosen += _by_size(items, [item for item in free if item not in chosen], chosen, rules.size)
    return Chosen(items=tuple(chosen), freed=freed(chosen), needed=len(items) - len(free))


def _is_needed(item: Item, stays: Needed) -> bool:
    if item.kind == "release":
        return item.name in stays.releases
    if item.kind == "run":
        return item.name in stays.runs
    # A run that is running may read any stage that was cached before.
    return item.kind == "cache" and (stays.busy or item.name.rpartition("-")[2] in stays.keys)


def _items(workspace: Workspace, store: Store | None) -> Iterator[Item]:
    for release in store.releases() if store else ():
        path = Path(release.folder)
        yield Item(kind="release", name=release.label, group=release.name, path=path, made=release.created,
                   bytes=size_of(path))  # fmt: skip
    for run in runs.all_runs(workspace.runs):
        yield _folder("run", run.id.rpartition("-")[0] or run.id, run.path)
    for path in sorted(workspace.cache.glob("*-*")):
        if path.is_dir():
            yield _folder("cache", path.name.partition("-")[0], path)
    for path in sorted((workspace.root / "lost").glob("*/*")):
        yield _folder("lost", path.parent.name, path)


def _folder(kind: Kind, group: str, path: Path) -> Item:
    made = path.stat().st_mtime
    return Item(kind=kind, name=path.name, group=group, path=path, made=made, bytes=size_of(path))


def _by_rules(items: Sequence[Item], rules: Rules) -> list[Item]:
    if rules.keep is None and rules.days is None:
        return []
    oldest = time.time() - (rules.days or 0) * _DAY_S
    seen: Counter[tuple[str, str]] = Counter()
    chosen = []
    for item in sorted(items, key=lambda item: item.made, reverse=True):
        seen[item.kind, item.group] += 1
        if item.made <= oldest and seen[item.kind, item.group] > (rules.keep or 0):
            chosen.append(item)
    return chosen


def _by_size(items: Sequence[Item], free: Iterable[Item], gone: Sequence[Item], size: int) -> list[Item]:
    """The oldest of what is left, until no more than `size` bytes are."""
    chosen: list[Item] = []
    all_of_it = freed(items)
    for item in sorted(free, key=lambda item: item.made):
        if all_of_it - freed([*gone, *chosen]) <= size:
            break
        chosen.append(item)
    return chosen


def size_of(path: Path) -> int:
    """The bytes of the files in a folder."""
    return sum(status.st_size for status in _files(path))


def freed(items: Iterable[Item]) -> int:
    """The bytes of disk that are free without `items`: what something else also has, as a link, is not."""
    links: Counter[tuple[int, int]] = Counter()
    files: dict[tuple[int, int], os.stat_result] = {}
    for path in {item.path for item in items}:
        for status in _files(path):
            links[status.st_dev, status.st_ino] += 1
            files[status.st_dev, status.st_ino] = status
    return sum(status.st_size for place, status in files.items() if links[place] >= status.st_nlink)


def _files(path: Path) -> list[os.stat_result]:
    found = (file.lstat() for file in (path.rglob("*") if path.is_dir() else [path]) if file.exists())
    return [status for status in found if stat.S_ISREG(status.st_mode)]
