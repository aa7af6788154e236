"""How often each row is trained on: caps and weights of sources, and the balance between labels.

All choices are functions of the seed and the rows' contents.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tunesmith.core.recipe import Entry
from tunesmith.data.account import Rows

CAP, SAMPLED_OUT, BALANCE = "cap", "sampled_out", "balance"
"""Reasons of rows that mixing leaves out."""


def order(hashes: Sequence[str], seed: int) -> NDArray[np.int64]:
    """The positions of rows in an order that looks random and depends on seed and contents alone."""
    keys = [hashlib.sha256(f"{seed}:mix:{content}".encode()).digest() for content in hashes]
    return np.array(sorted(range(len(keys)), key=lambda i: (keys[i], i)), np.int64)


def beyond_cap(shuffled: Rows, entry_of: NDArray[np.int64], entries: Sequence[Entry]) -> Rows:
    """The positions of rows that are more than the cap of their entry allows."""
    gone = [np.zeros(0, np.int64)]
    for number, entry in enumerate(entries):
        if entry.cap is not None:
            own = shuffled[entry_of[shuffled] == number]
            gone.append(own[entry.cap :])
    return np.concatenate(gone)


def copies(count: int, weight: float) -> NDArray[np.int64]:
    """How often each of `count` shuffled rows is taken for a weight: the first rows get what is left over."""
    whole, part = divmod(weight, 1)
    taken = np.full(count, int(whole), np.int64)
    taken[: round(part * count)] += 1
    return taken


def balanced(
    shuffled: Rows, labels: NDArray[np.int64], taken: NDArray[np.int64], *, up: bool
) -> NDArray[np.int64]:
    """How often rows are taken so that every label has as many as the largest (`up`) or the smallest has.

    `labels` are numbers from 0, `taken` says how often rows are taken before; those that are not stay out.
    """
    taken = taken.copy()
    totals = np.bincount(labels, weights=taken).astype(np.int64)
    there = totals > 0
    target = int(totals.max() if up else totals[there].min())
    for label in np.flatnonzero(there):
        own = shuffled[(labels[shuffled] == label) & (taken[shuffled] > 0)]
        _bring_to(taken, own, target)
    return taken


def _bring_to(taken: NDArray[np.int64], own: Rows, target: int) -> None:
    """Add rounds of one copy each, or take rows away from the end, until the rows have `target` copies."""
    missing = target - int(taken[own].sum())
    if missing >= 0:
        rounds, rest = divmod(missing, len(own))
        taken[own] += rounds
        taken[own[:rest]] += 1
        return
    before = np.cumsum(taken[own]) - taken[own]
    taken[own] = np.minimum(np.maximum(target - before, 0), taken[own])
