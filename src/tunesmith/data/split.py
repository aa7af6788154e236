"""Who is trained on and who is held out: a pure function of the seed and the rows' contents.

The shares hold for every label (largest remainder), and of each label with two rows or more at least one is
trained on. Rows of a group stay together: whole groups go first, the largest before the others, to where rows
of their labels are missed most (the greedy method of stratified group splitting); rows that stand alone then
fill what is missing.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

TRAIN = "train"
Table = NDArray[np.float64]


def assign(
    hashes: Sequence[str],
    shares: Mapping[str, float],
    *,
    seed: int,
    labels: Sequence[str] | None = None,
    groups: Sequence[str | None] | None = None,
) -> list[str]:
    """The split of every row: `train`, or one of `shares`, each a share of all rows.

    `hashes` identify the contents, `labels` and `groups` go with them; a row without group stands alone.
    """
    wanted = {name: share for name, share in shares.items() if share > 0}
    work = _Division(
        _keys(hashes, seed),
        list(labels) if labels is not None else [""] * len(hashes),
        wanted,
    )
    together = _members(groups) if groups is not None else []
    work.place_groups(together)
    work.place_alone()
    return [(TRAIN, *wanted)[place] for place in work.places]


def assign_by_time(times: Sequence[float], shares: Mapping[str, float]) -> list[str]:
    """The newest rows to `test`, those before to `validation`, the rest to `train`; equal ones by order."""
    order = np.argsort(np.asarray(times), kind="stable")
    splits = [TRAIN] * len(times)
    end = len(times)
    for name in ("test", "validation"):
        if shares.get(name):
            start = end - _target(len(times), shares[name])
            for row in order[max(0, start) : end]:
                splits[row] = name
            end = max(0, start)
    return splits


def _keys(hashes: Sequence[str], seed: int) -> list[bytes]:
    """A number for each row that orders rows at random; equal rows are told apart by their occurrence."""
    seen: Counter[str] = Counter()
    keys = []
    for content in hashes:
        keys.append(hashlib.sha256(f"{seed}:{content}:{seen[content]}".encode()).digest())
        seen[content] += 1
    return keys


def _target(count: int, share: float) -> int:
    """Rows of a split: the share rounded, but at least one where there are three rows to divide."""
    return max(int(count * share + 0.5), 1 if count >= 3 else 0)


def _members(groups: Sequence[str | None]) -> list[list[int]]:
    """The rows of every group that has more than one."""
    members: dict[str, list[int]] = defaultdict(list)
    for row, group in enumerate(groups):
        if group is not None:
            members[group].append(row)
    return [rows for rows in members.values() if len(rows) > 1]


class _Division:
    """Rows on their way to splits. Split 0 is training; `placed` counts rows [splits, labels]."""

    def __init__(self, keys: list[bytes], classes: list[str], shares: Mapping[str, float]) -> None:
        self.keys = keys
        self.names = sorted(set(classes))
        column = {label: i for i, label in enumerate(self.names)}
        self.labels = np.array([column[label] for label in classes], np.int64)
        self.shares = list(shares.values())
        self.places = [-1] * len(keys)
        self.sizes = np.bincount(self.labels, minlength=len(self.names)).astype(np.float64)
        self.fractions = np.array([1.0 - sum(self.shares), *self.shares])
        self.placed: Table = np.zeros((len(self.fractions), len(self.names)))

    def place_groups(self, groups: list[list[int]]) -> None:
        """Each group to the split that misses its rows most, weighed by label so that rare ones count."""
        order = sorted(groups, key=lambda rows: (-len(rows), min(self.keys[row] for row in rows)))
        wanted = self.fractions[:, None] * self.sizes
        split_of = []
        for rows in order:
            counts = np.bincount(self.labels[rows], minlength=len(self.names))
            split = int(
                np.argmax(((wanted - self.placed) * (counts / np.maximum(self.sizes, 1))).sum(axis=1))
            )
            self.placed[split] += counts
            split_of.append(split)
        if sum(map(len, order)) == len(self.keys):
            self._fill_empty(order, split_of)
        for rows, split in zip(order, split_of, strict=True):
            for row in rows:
                self.places[row] = split

    def _fill_empty(self, groups: list[list[int]], split_of: list[int]) -> None:
        """Give each split that got nothing the smallest group of training, while training keeps one."""
        for split in range(1, len(self.fractions)):
            own = [i for i, place in enumerate(split_of) if place == 0]
            if split not in split_of and len(own) > 1:
                split_of[own[-1]] = split

    def place_alone(self) -> None:
        """Rows without group: to each split what its labels miss of their shares, the rest to training."""
        members: dict[int, list[int]] = defaultdict(list)
        for row in sorted(range(len(self.keys)), key=lambda row: self.keys[row]):
            if self.places[row] < 0:
                members[int(self.labels[row])].append(row)
        taken = dict.fromkeys(members, 0)
        for split, share in enumerate(self.shares, 1):
            total = _target(len(self.keys), share) - int(self.placed[split].sum())
            for label, count in self._shared_out(members, taken, split, max(0, total)).items():
                for row in members[label][taken[label] : taken[label] + count]:
                    self.places[row] = split
                taken[label] += count
        self.places = [max(0, place) for place in self.places]

    def _shared_out(
        self, members: Mapping[int, list[int]], taken: Mapping[int, int], split: int, total: int
    ) -> dict[int, int]:
        """How many rows of each label go to a split."""
        missing = np.maximum(0, self.fractions[split] * self.sizes - self.placed[split])
        kept = {label: 0 if self.placed[0][label] else 1 for label in members}
        room = {label: max(0, len(rows) - taken[label] - kept[label]) for label, rows in members.items()}
        return _largest_remainder({label: float(missing[label]) for label in members}, room, total)


def _largest_remainder(sizes: Mapping[int, float], room: Mapping[int, int], total: int) -> dict[int, int]:
    """`total` divided in proportion to `sizes`, never more than `room` (Hamilton's method)."""
    everything = sum(sizes.values()) or 1.0
    exact = {label: size * total / everything for label, size in sizes.items()}
    given = {label: min(int(exact[label] + 1e-9), room[label]) for label in sizes}
    order = sorted(sizes, key=lambda label: (given[label] - exact[label], -sizes[label], label))
    left = min(total, sum(room.values())) - sum(given.values())
    while left > 0:
        for label in order:
            if left > 0 and given[label] < room[label]:
                given[label] += 1
                left -= 1
    return given
