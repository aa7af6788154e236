"""From clean rows to parts: caps, overlap, who is held out, and how often each row is trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tunesmith.core.errors import DataError, Problem
from tunesmith.core.recipe import Data
from tunesmith.data import mixing
from tunesmith.data.account import Rows
from tunesmith.data.batches import GROUP, TIME
from tunesmith.data.loading import stop_for
from tunesmith.data.overlap import Alike, alike, between_parts
from tunesmith.data.pipeline import Streamed
from tunesmith.data.similarity import Edges, components
from tunesmith.data.sources import WHOLE
from tunesmith.data.split import TRAIN, assign, assign_by_time
from tunesmith.data.table import some
from tunesmith.data.times import seconds

HELD_OUT = ("validation", "test")
OVERLAP = "overlap"
_GONE = ""


@dataclass(slots=True, kw_only=True)
class Division:
    """Rows by position: `facts` has `_row`, and `label`, `_group`, `_time` as far as they exist.

    `places` is the part of each row (empty once it has left), `copies` how often it is trained on.
    """

    facts: pl.DataFrame
    places: NDArray[np.str_]
    copies: NDArray[np.int64]
    warnings: list[Problem] = field(default_factory=list[Problem])

    @property
    def rows(self) -> Rows:
        """The ledger numbers of the rows."""
        return self.facts["_row"].to_numpy()

    def part(self, name: str) -> pl.DataFrame:
        """The facts of the rows of a part."""
        return self.facts.filter(pl.Series(self.places == name))

    @property
    def parts(self) -> list[str]:
        """The names of the parts that have rows."""
        return [name for name in (TRAIN, *HELD_OUT) if (self.places == name).any()]


def divide(streamed: Streamed, data: Data, seed: int, scratch: Path) -> Division:
    """Decide about every row; the account is told.

    Raises:
        DataError: D80 when rows to train on stand in a held-out part too; D81 when a time is none.
    """
    division = _gather(streamed)
    frames = (frame for split in streamed.rows for frame in streamed.frames(split))
    found = alike(frames, scratch / "alike", least=data.split.similar)
    _leave_unlabelled(division, streamed, data)
    shuffled = mixing.order(streamed.account.hashes(division.rows), seed)
    _cap(division, streamed, shuffled)
    if data.split.overlap != "keep":
        # Before cutting too, so that no row of a given test part gets into validation.
        _resolve_overlap(division, found, streamed, data)
    _cut(division, found, streamed, data, seed)
    _resolve_overlap(division, found, streamed, data)
    for name in HELD_OUT:
        streamed.account.hold_out(division.rows[division.places == name], name)
    _mix(division, streamed, data, shuffled)
    return division


def _gather(streamed: Streamed) -> Division:
    parts = {split: streamed.facts(split) for split in streamed.rows}
    places = [TRAIN if split == WHOLE else split for split, facts in parts.items() for _ in range(len(facts))]
    facts = pl.concat(parts.values(), how="diagonal")
    return Division(facts=facts, places=np.array(places, dtype="<U10"), copies=np.ones(len(places), np.int64))


def _leave(division: Division, streamed: Streamed, gone: NDArray[np.bool_], reason: str) -> None:
    streamed.account.drop(division.rows[gone], reason)
    division.places[gone] = _GONE
    division.copies[gone] = 0


def _leave_unlabelled(division: Division, streamed: Streamed, data: Data) -> None:
    """Rows that lost their label in cleaning."""
    if "label" not in division.facts.columns or not division.facts["label"].null_count():
        return
    gone = division.facts["label"].is_null().to_numpy()
    places = [streamed.account.place(int(row)) for row in division.rows[gone]]
    if data.on_error == "stop":
        file, line = places[0]
        lines = some(line for _, line in places)
        raise DataError("D07", file=file, line=line, column="label", count=len(places), lines=lines)
    _leave(division, streamed, gone, "unlabelled")


def _cap(division: Division, streamed: Streamed, shuffled: Rows) -> None:
    entry_of = _entries(division, streamed)
    gone = np.zeros(len(division.places), np.bool_)
    gone[mixing.beyond_cap(shuffled, entry_of, streamed.entries)] = True
    _leave(division, streamed, gone, mixing.CAP)


def _entries(division: Division, streamed: Streamed) -> NDArray[np.int64]:
    """The number of the entry of `data.source` that each row comes from."""
    return np.asarray(streamed.entry_of_file, np.int64)[streamed.account.files_of(division.rows)]


def _resolve_overlap(division: Division, found: Alike, streamed: Streamed, data: Data) -> None:
    problems: list[Problem] = []
    for split, pairs in between_parts(found, division.places, HELD_OUT):
        code = {"stop": "D80", "drop": "D32", "keep": "D82"}[data.split.overlap]
        said = pairs.problem(code, split, streamed.account)
        if data.split.overlap == "stop":
            problems.append(said)
            continue
        division.warnings.append(said)
        if data.split.overlap == "drop":
            gone = np.isin(division.rows, pairs.train) & (division.places == TRAIN)
            _leave(division, streamed, gone, OVERLAP)
    stop_for(problems)


def _cut(division: Division, found: Alike, streamed: Streamed, data: Data, seed: int) -> None:
    """The held-out parts that were not given, cut from the rows to train on."""
    given = set(division.places.tolist())
    shares = {name: getattr(data.split, name) for name in ("test", "validation") if name not in given}
    here = np.flatnonzero(division.places == TRAIN)
    if not len(here) or not any(shares.values()):
        return
    own = division.facts[here]
    if data.split.time is not None:
        names = assign_by_time(_times(own, data.split.time, streamed), shares)
    else:
        names = assign(
            streamed.account.hashes(own["_row"].to_numpy()),
            shares,
            seed=seed,
            labels=own["label"].to_list() if data.split.stratify and "label" in own.columns else None,
            groups=_groups(division, found)[here].tolist(),
        )
    division.places[here] = names


def _groups(division: Division, found: Alike) -> NDArray[np.str_]:
    """Rows that must stay together: of one group, or alike, or connected by several such ties."""
    train = division.places == TRAIN
    cluster = found.clusters(train)
    if GROUP not in division.facts.columns:
        return cluster.astype("<U20")
    named = division.facts[GROUP].str.strip_chars().fill_null("")
    numbers = named.rank("dense").to_numpy().astype(np.int64) + len(cluster)
    # Nothing in the column is no group.
    alone = (named == "").to_numpy()
    numbers[alone] = cluster[alone]
    return _tied(cluster, numbers).astype("<U20")


def _tied(one: Rows, other: Rows) -> Rows:
    """The first of all rows that are connected by sharing a value of `one` or of `other`."""
    firsts = [np.unique(values, return_index=True, return_inverse=True) for values in (one, other)]
    heads = np.concatenate([index[inverse] for _, index, inverse in firsts])
    rows = np.tile(np.arange(len(one)), 2)
    return components(len(one), Edges(first=heads, second=rows, similarity=np.ones(len(rows), np.float32)))


def _times(own: pl.DataFrame, column: str, streamed: Streamed) -> Sequence[float]:
    found = seconds(own[TIME])
    if found.null_count():
        at = found.is_null().arg_true()
        places = [streamed.account.place(int(own["_row"][i])) for i in at[:6]]
        file, line = places[0]
        values = {"column": column, "count": len(at), "lines": some(line for _, line in places)}
        raise DataError("D81", file=file, line=line, field="data.split.time", **values)
    return found.to_list()


def _mix(division: Division, streamed: Streamed, data: Data, shuffled: Rows) -> None:
    train = division.places == TRAIN
    order = shuffled[train[shuffled]]
    entry_of = _entries(division, streamed)
    division.copies[train] = _weights(order, entry_of, streamed, len(train))[train]
    _leave(division, streamed, train & (division.copies == 0), mixing.SAMPLED_OUT)
    if data.balance in ("up", "down") and "label" in division.facts.columns:
        train = division.places == TRAIN
        labels = division.facts["label"].rank("dense").fill_null(0).to_numpy().astype(np.int64)
        copies = np.where(train, division.copies, 0)
        balanced = mixing.balanced(order[train[order]], labels, copies, up=data.balance == "up")
        division.copies[train] = balanced[train]
        _leave(division, streamed, train & (division.copies == 0), mixing.BALANCE)


def _weights(order: Rows, entry_of: NDArray[np.int64], streamed: Streamed, count: int) -> NDArray[np.int64]:
    copies = np.ones(count, np.int64)
    for number, entry in enumerate(streamed.entries):
        own = order[entry_of[order] == number]
        copies[own] = mixing.copies(len(own), entry.weight)
    return copies
