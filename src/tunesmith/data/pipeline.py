"""Files to clean rows on disk, batch by batch; of the rows only a few numbers each stay in memory.

Batches are mapped and cleaned by several threads and put down in order, so the result depends on neither the
size of the batches nor the number of threads. A cleaner that must see all rows divides the work into passes.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import TypeVar

import polars as pl

from tunesmith.core.chosen import Component
from tunesmith.core.errors import Problem
from tunesmith.core.recipe import Data, Entry
from tunesmith.data.account import Account
from tunesmith.data.batches import GROUP, TIME, Done, Job, started, work
from tunesmith.data.cleaning import (
    Batch,
    Counts,
    Whole,
    account_for,
    add_counts,
    changes_rows,
    clean,
    make_whole,
    whole_of,
)
from tunesmith.data.layouts import REASON_CODES
from tunesmith.data.loading import BLANK, BROKEN, Loading, SourceReport
from tunesmith.data.reading import BATCH_BYTES
from tunesmith.data.setting_files import located
from tunesmith.data.shelf import Shelf
from tunesmith.data.sources import WHOLE

# Batches on their way: enough to keep the threads busy, few enough to hold.
_AHEAD = 4

Change = Callable[[pl.DataFrame], pl.DataFrame]
Given = TypeVar("Given")
Made = TypeVar("Made")


def default_threads() -> int:
    """As many as this process may use, up to four: beyond it reading is what takes the time."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(4, usable)


@dataclass(slots=True, kw_only=True)
class Streamed:
    """Clean rows on disk by split, the account of all rows, and what was found on the way.

    With `problems`, rows may be missing.
    """

    rows: dict[str, Shelf]
    account: Account
    problems: list[Problem]
    warnings: list[Problem]
    sources: list[SourceReport]
    counts: Counts
    entries: list[Entry]
    entry_of_file: list[int]

    def facts(self, split: str) -> pl.DataFrame:
        """Of the rows still used `_row`, and what decides where they go: label, group, time, if any."""
        wanted = ("_row", "label", GROUP, TIME)
        none = pl.DataFrame({"_row": pl.Series([], dtype=pl.Int64)})
        frames = (self.account.used(frame) for frame in self.rows[split].frames())
        parts = (frame.select([name for name in wanted if name in frame.columns]) for frame in frames)
        return pl.concat([none, *parts], how="diagonal")

    def frames(self, split: str, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """The rows of a split that are still used, batch by batch."""
        for frame in self.rows[split].frames(columns):
            yield self.account.used(frame)


def stream(
    data: Data,
    *,
    shape: str,
    base: Path,
    folder: Path,
    threads: int | None = None,
    batch_bytes: int = BATCH_BYTES,
    keep: bool = False,
    cleaners: Sequence[Component] | None = None,
) -> Streamed:
    """Read, map and clean every file of `data.source`; `folder` takes the rows, its owner removes it.

    With `keep`, cells that the shape has no place for stay with their rows (`batches.REST`). `cleaners` are
    those to run, when it is not those of the section.
    """
    account = Account()
    loading = Loading(data=data, shape=shape, base=base, batch_bytes=batch_bytes)
    chosen = data.clean if cleaners is None else cleaners
    passes = _passes([located(component, base) for component in chosen])
    with (
        ThreadPoolExecutor(threads or default_threads()) as pool,
        ThreadPoolExecutor(1) as side,
        closing(_Run(folder=folder, account=account, pool=pool, side=side)) as run,
    ):
        run.first(loading, passes[0], data, keep=keep)
        for following in passes[1:]:
            if not loading.problems:
                run.next(following)
        if not loading.problems:
            run.judge()
    return Streamed(
        rows=run.rows,
        account=account,
        problems=loading.problems,
        warnings=loading.warnings,
        sources=[source.report() for source in loading.sources],
        counts=run.counts,
        entries=loading.entries,
        entry_of_file=[source.entry for source in loading.sources],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pass:
    """Function cleaners, the one before them and the one at their end that must see all rows."""

    after: Component | None
    functions: tuple[Component, ...]
    whole: Component | None


def _passes(cleaners: Sequence[Component]) -> list[_Pass]:
    found: list[_Pass] = []
    functions: list[Component] = []
    before: Component | None = None
    for component in cleaners:
        if whole_of(component) is None:
            functions.append(component)
            continue
        found.append(_Pass(after=before, functions=tuple(functions), whole=component))
        before, functions = component, []
    # Nothing has to be put down anew when the last one only takes rows away.
    is_done = not functions and before is not None and not changes_rows(before)
    return found if is_done else [*found, _Pass(after=before, functions=tuple(functions), whole=None)]


def _part(whole: Component | None, split: str) -> str:
    """Which rows are judged together: those of a split, or all."""
    kind = whole_of(whole) if whole else None
    return WHOLE if kind is not None and kind.together else split


@dataclass(slots=True, kw_only=True)
class _Run:
    """Passes over the rows, one after the other; `rows` are those of the last pass.

    `pool` maps and cleans, `side` lays rows down in order while others are read.
    """

    folder: Path
    account: Account
    pool: ThreadPoolExecutor
    side: ThreadPoolExecutor
    rows: dict[str, Shelf] = field(default_factory=dict[str, Shelf])
    counts: Counts = field(default_factory=dict)
    _judging: dict[str, tuple[str, Whole]] = field(default_factory=dict[str, tuple[str, Whole]])
    _changes: dict[str, Change] = field(default_factory=dict[str, Change])
    _laying: deque[Future[None]] = field(default_factory=deque[Future[None]])
    _numbers: Iterator[int] = field(default_factory=count)

    def first(self, loading: Loading, cleaners: _Pass, data: Data, *, keep: bool) -> None:
        """From files to clean rows; goes on looking for mistakes when there are some."""
        job = Job(cleaners=cleaners.functions, data=data, keep=keep)
        for done in _ordered(self.pool, partial(work, job), started(loading)):
            self._enter(done)
            self._put(done.source.split, done.batch, cleaners.whole)
        self._lay_down(0)

    def _enter(self, done: Done) -> None:
        """Account for everything of a batch but what its cleaners took."""
        source, numbers, account = done.source, done.numbers, self.account
        if source.number is None:
            source.number = account.open(source.name)
        account.add(numbers.lines, numbers.part_of)
        account.identify(numbers.rows, done.hashes)
        account.drop(numbers.broken, BROKEN)
        account.drop(numbers.blank, BLANK)
        source.rows += done.table.read
        source.usable += len(numbers.rows) - len(done.bad)
        for item in done.table.broken:
            source.note(item.code, [item.line], item.values)
        values = {"column": source.mapper.mapping.get("label", "")}
        for (reason,), rows in done.bad.group_by("_bad", maintain_order=True):
            at = rows["_at"].to_numpy()
            account.drop(numbers.rows[at], str(reason))
            source.note(REASON_CODES[str(reason)], [done.table.lines[i] for i in at], values)

    def next(self, cleaners: _Pass) -> None:
        """Through the cleaners that follow one that had to see all rows."""
        before = self.judge()
        self.rows = {}
        for split, shelf in before.items():
            change = self._changes[_part(cleaners.after, split)]
            frames = (change(self.account.used(frame)) for frame in shelf.frames())
            for batch in _ordered(self.pool, partial(clean, cleaners=cleaners.functions), frames):
                self._put(split, batch, cleaners.whole)
            self._lay_down(0)
            shelf.remove()

    def judge(self) -> dict[str, Shelf]:
        """Let the cleaners that have seen all rows say which of them go; the rows as they lie on disk."""
        self._changes = {part: whole.change for part, (_, whole) in self._judging.items()}
        for name, whole in self._judging.values():
            with closing(whole):
                verdict = whole.verdict()
            for reason, rows in verdict.dropped.items():
                self.account.drop(rows, reason)
            self.account.duplicates(*verdict.duplicates)
            add_counts(self.counts, {name: verdict.counts})
        self._judging = {}
        return self.rows

    def close(self) -> None:
        """Let go of cleaners that were not asked for a verdict."""
        wait(self._laying)
        for _, whole in self._judging.values():
            whole.close()

    def _put(self, split: str, batch: Batch, whole: Component | None) -> None:
        """Account for a batch, and have what is left of it laid down."""
        account_for(batch, self.account)
        add_counts(self.counts, batch.counts)
        self._laying.append(self.side.submit(self._lay, split, batch.frame, whole))
        self._lay_down(1)

    def _lay_down(self, ahead: int) -> None:
        """Wait until no more than `ahead` batches are still to be laid down."""
        while len(self._laying) > ahead:
            self._laying.popleft().result()

    def _lay(self, split: str, frame: pl.DataFrame, whole: Component | None) -> None:
        """Put rows on the shelf, and show them to the cleaner that must see all."""
        if split not in self.rows:
            self.rows[split] = Shelf(self.folder / f"rows-{next(self._numbers)}")
        self.rows[split].add(frame)
        if whole is not None:
            part = _part(whole, split)
            if part not in self._judging:
                made = make_whole(whole, self.folder / f"whole-{next(self._numbers)}")
                self._judging[part] = (whole.name, made)
            self._judging[part][1].see(frame)


def _ordered(
    pool: ThreadPoolExecutor, work: Callable[[Given], Made], items: Iterable[Given]
) -> Iterator[Made]:
    """What `work` makes of each item, in order; of items and results a few are held at a time."""
    waiting: deque[Future[Made]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > _AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
