"""Who is trained on and who is held out: a pure function of the seed and the rows' contents.

Without groups the shares hold for every label (largest remainder), and of each label with two rows or more at
least one is trained on. With groups, whole groups go where they are missed most, by rows of each label, the
largest groups first (the greedy method of stratified group splitting).
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

TRAIN = "train"


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
    classes = list(labels) if labels is not None else [""] * len(hashes)
    keys = _keys(hashes, seed)
    if groups is None:
        return _by_row(keys, classes, wanted)
    named = [f"={group}" if group is not None else f"#{i}" for i, group in enumerate(groups)]
    return _by_group(keys, classes, named, wanted)


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


def _by_row(keys: list[bytes], classes: list[str], shares: Mapping[str, float]) -> list[str]:
    members: dict[str, list[int]] = defaultdict(list)
    for row in sorted(range(len(keys)), key=lambda row: keys[row]):
        members[classes[row]].append(row)
    sizes = {label: len(rows) for label, rows in members.items()}
    splits = [TRAIN] * len(keys)
    taken = dict.fromkeys(sizes, 0)
    for name, share in shares.items():
        room = {label: max(0, size - taken[label] - 1) for label, size in sizes.items()}
        for label, count in _largest_remainder(sizes, room, _target(len(keys), share)).items():
            for row in members[label][taken[label] : taken[label] + count]:
                splits[row] = name
            taken[label] += count
    return splits


def _largest_remainder(sizes: Mapping[str, int], room: Mapping[str, int], total: int) -> dict[str, int]:
    """`total` divided in proportion to `sizes`, never more than `room` (Hamilton's method)."""
    everything = max(1, sum(sizes.values()))
    exact = {label: size * total / everything for label, size in sizes.items()}
    given = {label: min(int(exact[label]), room[label]) for label in sizes}
    order = sorted(sizes, key=lambda label: (given[label] - exact[label], -sizes[label], label))
    left = min(total, sum(room.values())) - sum(given.values())
    while left > 0:
        for label in order:
            if left > 0 and given[label] < room[label]:
                given[label] += 1
                left -= 1
    return given


def _by_group(
    keys: list[bytes], classes: list[str], groups: list[str], shares: Mapping[str, float]
) -> list[str]:
    names = [TRAIN, *shares]
    counts, order, rows = _group_counts(keys, classes, groups)
    totals = counts.sum(axis=0)
    fractions = np.array([1.0 - sum(shares.values()), *shares.values()])
    missing = fractions[:, None] * totals  # [splits, labels], rows still to be given
    place = np.zeros(len(order), dtype=np.int64)
    for group in order:
        # Weighed by label, so that a rare label counts as much as a frequent one.
        place[group] = int(np.argmax((missing * (counts[group] / totals)).sum(axis=1)))
        missing[place[group]] -= counts[group]
    _fill_empty(place, counts.sum(axis=1), order, len(names))
    splits = [TRAIN] * len(keys)
    for group, members in enumerate(rows):
        for row in members:
            splits[row] = names[place[group]]
    return splits


def _group_counts(
    keys: list[bytes], classes: list[str], groups: list[str]
) -> tuple[NDArray[np.float64], list[int], list[list[int]]]:
    """Rows of each label in each group [groups, labels], groups from large to small, and their rows."""
    members: dict[str, list[int]] = defaultdict(list)
    for row, group in enumerate(groups):
        members[group].append(row)
    column = {label: i for i, label in enumerate(sorted(set(classes)))}
    rows = list(members.values())
    counts = np.zeros((len(rows), len(column)))
    for i, own in enumerate(rows):
        for row in own:
            counts[i, column[classes[row]]] += 1
    order = sorted(range(len(rows)), key=lambda i: (-len(rows[i]), min(keys[r] for r in rows[i])))
    return counts, order, rows


def _fill_empty(place: NDArray[np.int64], sizes: NDArray[np.float64], order: list[int], splits: int) -> None:
    """Give each split that got nothing the smallest group of training, while training keeps one."""
    for split in range(1, splits):
        own = [group for group in order if place[group] == 0]
        if not (place == split).any() and len(own) > 1:
            place[min(reversed(own), key=lambda group: sizes[group])] = split
