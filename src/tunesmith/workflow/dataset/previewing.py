"""A look at what cleaning would do to the first rows of every file; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from tunesmith.core.chosen import Component
from tunesmith.data.account import Account
from tunesmith.data.batches import Job, started, work
from tunesmith.data.clean import Cleaned
from tunesmith.data.cleaning import apply_to_all, clean, whole_of
from tunesmith.data.loading import Loading, stop_for
from tunesmith.data.preview import Shown, shown
from tunesmith.workflow.dataset.section import Section

_MOST = 200_000
"""Of so many rows at most, which lie in memory; no further file is begun then."""

_PART = "_part"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A row that a cleaner would change or drop, and where it stands."""

    file: str
    line: int
    effect: Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a component would do to the first rows of the files."""

    name: str
    shown: list[Seen]


def preview_files(section: Section, count: int) -> list[Effect]:
    """What each cleaner, after those before it, would do to the first rows; `count` rows of each are shown.

    Cleaners that must see all rows take those for all there are, the parts of a divided source apart.

    Raises:
        NotFoundError, DataError: when a file cannot be read; D27 when a cleaner breaks its protocol.
    """
    frame, account = first_rows(section)
    effects = []
    for component in section.data.clean:
        cleaned = _cleaned(component, frame)
        rows = [placed(one, account) for one in shown(frame, cleaned, count)]
        effects.append(Effect(name=component.name, shown=rows))
        # Without cleaners this leaves out rows of which no text is left.
        frame = clean(cleaned.frame, []).frame
    return effects


def placed(one: Shown, account: Account) -> Seen:
    """What was shown, with its file and line."""
    file, line = account.place(one.row)
    return Seen(file=file, line=line, effect=one)


def first_rows(section: Section) -> tuple[pl.DataFrame, Account]:
    """The usable rows of the beginning of each file, with their parts, and their places."""
    loading = Loading(data=section.data, shape=section.shape, base=section.base, head=True)
    account = Account()
    frames = []
    for given in started(loading):
        done = work(Job(cleaners=(), data=section.data, keep=False), given)
        account.open(done.source.name)
        account.add(done.numbers.lines, done.numbers.part_of)
        frames.append(done.batch.frame.with_columns(pl.lit(done.source.split).alias(_PART)))
        if len(account) >= _MOST:
            break
    stop_for(loading.problems)
    return pl.concat(frames), account


def _cleaned(component: Component, frame: pl.DataFrame) -> Cleaned:
    whole = whole_of(component)
    if whole is None or whole.together or frame.is_empty():
        return apply_to_all(component, frame)
    parts = [apply_to_all(component, part) for part in frame.partition_by(_PART, maintain_order=True)]
    return Cleaned(
        frame=pl.concat([part.frame for part in parts]),
        dropped={row: why for part in parts for row, why in part.dropped.items()},
        duplicates={row: of for part in parts for row, of in part.duplicates.items()},
    )
