"""Which documents repeat each other, found without anything the product uses: an exact join of Python sets.

Prefix filtering (Chaudhuri, Ganti and Kaushik 2006; Bayardo, Ma and Srikant 2007): two sets of a Jaccard
index of at least t share one of the rarest (1 - t) |set| + 1 members of each. Members are the runs of five
characters; candidates are compared as sets. Nothing is estimated.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

THRESHOLD = 0.8


def read(plants: Path) -> list[dict[str, Any]]:
    """What was planted, document by document: see `corpus.Document`."""
    with plants.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def texts(plants: Path) -> list[str]:
    """What the documents mean, white space collapsed, in order; nothing for junk."""
    return ["" if row["kind"] == "junk" else " ".join(row["meant"].split()) for row in read(plants)]


def pairs(flat_texts: Iterable[str], threshold: float = THRESHOLD) -> list[tuple[int, int, float]]:
    """All pairs of at least the threshold with their Jaccard index, in order, smaller number first.

    Equal texts are paired with the first of them only, which stands for them in pairs with others.
    """
    numbers: dict[str, int] = {}
    found: list[tuple[int, int, float]] = []
    for number, flat in enumerate(flat_texts):
        first = numbers.setdefault(flat, number)
        if first != number:
            found.append((first, number, 1.0))
    sets = {number: shingles(flat) for flat, number in numbers.items() if len(flat) >= 5}
    return sorted(found + _join(sets, threshold))


def shingles(text: str) -> set[str]:
    """Its runs of five characters."""
    return {text[at : at + 5] for at in range(len(text) - 4)}


def _join(sets: dict[int, set[str]], threshold: float) -> list[tuple[int, int, float]]:
    frequency: Counter[str] = Counter()
    for members in sets.values():
        frequency.update(members)
    index: defaultdict[str, list[int]] = defaultdict(list)
    found = []
    for number in sorted(sets, key=lambda number: len(sets[number])):
        members = sets[number]
        prefix = len(members) - math.ceil(threshold * len(members) - 1e-9) + 1
        rarest = sorted(members, key=lambda member: (frequency[member], member))[:prefix]
        shared = [member for member in rarest if frequency[member] > 1]
        candidates = {other for member in shared for other in index[member]}
        for other in candidates:
            if len(sets[other]) < threshold * len(members):
                continue
            common = len(members & sets[other])
            similarity = common / (len(members) + len(sets[other]) - common)
            if similarity >= threshold:
                found.append((min(number, other), max(number, other), similarity))
        for member in shared:
            index[member].append(number)
    return found


def cached(plants: Path) -> list[tuple[int, int, float]]:
    """The pairs of a corpus by what its documents mean, without the junk; kept beside it."""
    kept = plants.with_suffix(".truth.json")
    if not kept.exists():
        meant = texts(plants)
        known = [pair for pair in pairs(meant) if meant[pair[0]]]
        kept.write_text(json.dumps(known))
    return [(first, second, similarity) for first, second, similarity in json.loads(kept.read_text())]
