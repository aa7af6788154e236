"""Why a classifier was probably wrong on a row: the first of a few causes that the row shows.

A row for which another model, too, is sure of what this one said is probably labelled wrong, as confident
learning counts. The other causes are seen in the rows that the model learned from.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tunesmith.data.hygiene.wrong_labels import judged
from tunesmith.data.similarity import SimilarRows
from tunesmith.eval.classes import clip
from tunesmith.eval.outcome import LabelOutcome
from tunesmith.eval.rouge import words

Kind = Literal["near_duplicate", "label_issue", "truncated", "unknown_words", "rare_label", "unexplained"]
Evidence = Mapping[int, str]
"""Of places in an outcome, what the cause is seen in."""

_UNKNOWN = 1 / 3
_RARE = 10
_EXAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A wrong row, and what its cause is seen in: a training row, a label, words."""

    text: str
    target: str
    predicted: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The mistakes that probably have one cause; `share` is of all mistakes."""

    kind: Kind
    rows: int
    share: float
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """What a model learned from: texts and their labels; nothing where that is not known."""

    texts: Sequence[str] = ()
    labels: Sequence[str] = ()


def causes(
    outcome: LabelOutcome,
    taught: Taught,
    *,
    second: LabelOutcome | None = None,
    truncated: Callable[[str], int] | None = None,
) -> tuple[Cause, ...]:
    """The mistakes of an outcome by their probable cause.

    `second` is what another model that has not seen the rows says of them; `truncated` counts the tokens
    that are cut of a text.
    """
    wrong = np.flatnonzero(outcome.predicted != outcome.targets).tolist()
    left, found = list(wrong), []
    for kind, evidence in _kinds(outcome, taught, second, truncated, wrong) if wrong else ():
        own = [place for place in left if place in evidence]
        left = [place for place in left if place not in evidence]
        if own:
            found.append(_cause(kind, own, evidence, outcome, len(wrong)))
    return tuple(found)


def _kinds(
    outcome: LabelOutcome,
    taught: Taught,
    second: LabelOutcome | None,
    truncated: Callable[[str], int] | None,
    wrong: Sequence[int],
) -> Iterator[tuple[Kind, Evidence]]:
    yield "near_duplicate", _near(outcome, taught, wrong)
    yield "label_issue", _doubted(outcome, second, wrong)
    if truncated is not None:
        cut = {place: truncated(outcome.texts[place]) for place in wrong}
        yield "truncated", {place: f"{count:,}" for place, count in cut.items() if count}
    if taught.texts:
        yield "unknown_words", _unknown(outcome, taught, wrong)
        counts = Counter(taught.labels)
        labels = {place: outcome.labels[outcome.targets[place]] for place in wrong}
        yield "rare_label", {p: str(counts[label]) for p, label in labels.items() if counts[label] < _RARE}
    yield "unexplained", dict.fromkeys(wrong, "")


def _near(outcome: LabelOutcome, taught: Taught, wrong: Sequence[int]) -> Evidence:
    """Rows nearly equal to a training row of another label, and that row."""
    if not taught.texts:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        similar = SimilarRows(Path(folder))
        similar.add(pl.Series([*taught.texts, *(outcome.texts[place] for place in wrong)], dtype=pl.String))
        edges = similar.edges()
        similar.close()
    found: dict[int, str] = {}
    known = len(taught.texts)
    for one, other in zip(edges.first.tolist(), edges.second.tolist(), strict=True):
        if one < known <= other:
            place = wrong[other - known]
            if taught.labels[one] != outcome.labels[outcome.targets[place]]:
                found.setdefault(place, f"{clip(taught.texts[one])} ({taught.labels[one]})")
    return found


def _doubted(outcome: LabelOutcome, second: LabelOutcome | None, wrong: Sequence[int]) -> Evidence:
    """Rows for whose label another model suggests what this one said, and is sure of it."""
    targets, shares = outcome.targets, _opinion(outcome) if second is None else second.probabilities
    suggested = confident(targets, shares)
    same = (place for place in wrong if suggested[place] == outcome.predicted[place])
    return {place: outcome.labels[suggested[place]] for place in same if suggested[place] != targets[place]}


def _opinion(outcome: LabelOutcome) -> NDArray[np.floating[Any]]:
    """What models that learned from the other rows say of each, [rows, labels]; 0 where they say nothing."""
    found = judged(outcome.texts, [outcome.labels[target] for target in outcome.targets])
    shares = np.zeros_like(outcome.probabilities)
    columns = [outcome.labels.index(name) for name in found.names.tolist()]
    shares[np.ix_(found.places, np.array(columns, dtype=np.int64))] = found.probabilities
    return shares


def confident(
    targets: NDArray[np.integer[Any]], shares: NDArray[np.floating[Any]]
) -> NDArray[np.integer[Any]]:
    """The label [rows] that each row is counted to by confident learning (Northcutt et al. 2021).

    Of the labels at least as probable [rows, labels] as they are on average for rows that have them it is the
    most probable; the row's own where there is none.
    """
    rows = np.bincount(targets, minlength=shares.shape[1])
    sums = np.zeros(shares.shape[1])
    np.add.at(sums, targets, shares[np.arange(len(targets)), targets])
    usual = np.divide(sums, rows, out=np.full(len(sums), np.inf), where=rows > 0)
    likely = np.where((shares >= usual) & (shares > 0), shares, -1)
    return np.where(likely.max(axis=1) < 0, targets, likely.argmax(axis=1))


def _unknown(outcome: LabelOutcome, taught: Taught, wrong: Sequence[int]) -> Evidence:
    """Rows of whose words a third or more stand in no training row, and those words."""
    known = {word for text in taught.texts for word in words(text)}
    found: dict[int, str] = {}
    for place in wrong:
        own = words(outcome.texts[place])
        new = [word for word in own if word not in known]
        if new and len(new) >= _UNKNOWN * len(own):
            found[place] = clip(", ".join(dict.fromkeys(new)))
    return found


def _cause(kind: Kind, places: Sequence[int], evidence: Evidence, outcome: LabelOutcome, all_: int) -> Cause:
    examples = tuple(
        Example(
            text=clip(outcome.texts[place]),
            target=outcome.labels[outcome.targets[place]],
            predicted=outcome.labels[outcome.predicted[place]],
            evidence=evidence[place],
        )
        for place in places[:_EXAMPLES]
    )
    return Cause(kind=kind, rows=len(places), share=len(places) / all_, examples=examples)
