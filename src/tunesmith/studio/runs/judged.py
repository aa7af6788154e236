"""The rows of an evaluation, right and wrong, in words: those a reader asks for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from tunesmith.core.runs import RunFolder
from tunesmith.eval import outcome_file, rows
from tunesmith.eval.outcome import LabelOutcome, Outcome

_IN_MEMORY = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows: wrong, right or all of them, with these labels, and with these words."""

    which: str
    target: str | None
    predicted: str | None
    search: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A row in words. `row` is its id, too long for a number of JavaScript.

    `probability` is that of the answer, where the model gives one.
    """

    row: str
    text: str
    target: str
    answer: str
    right: bool | None
    probability: float | None


class Rows:
    """An outcome to be looked through."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self.right = rows.right(outcome)

    @property
    def worded(self) -> bool:
        """Whether rows can be told in words; those of a perplexity cannot."""
        return bool(len(self._outcome.rows)) and rows.row(self._outcome, 0) is not None

    def places(self, wanted: Wanted) -> list[int]:
        """Where the rows are, those first of which a classifier was surest."""
        if not self.worded:
            return []
        flags = self._which(wanted.which) & self._labelled(wanted)
        found = self._order[flags[self._order]]
        words = wanted.search.lower().split()
        return [int(place) for place in found if not words or self._has(int(place), words)]

    def judgement(self, place: int) -> Judgement:
        """One row."""
        said = self._said[place]
        probability = None if self._sure is None else float(self._sure[place])
        return Judgement(
            row=str(int(self._outcome.rows[place])),
            text=said.text,
            target=said.target,
            answer=said.answer,
            right=None if self.right is None else bool(self.right[place]),
            probability=probability,
        )

    @cached_property
    def _said(self) -> Sequence[rows.Row]:
        each = (rows.row(self._outcome, place) for place in range(len(self._outcome.rows)))
        return [one or rows.Row(text="", target="-", answer="-") for one in each]

    @cached_property
    def _sure(self) -> NDArray[np.floating] | None:
        """How probable each classifier's answer was [rows]."""
        found = self._outcome
        return found.probabilities.max(axis=1) if isinstance(found, LabelOutcome) else None

    @cached_property
    def _order(self) -> NDArray[np.intp]:
        if self._sure is None:
            return np.arange(len(self._outcome.rows))
        return np.argsort(-self._sure, kind="stable")

    def _which(self, which: str) -> NDArray[np.bool_]:
        if which == "all" or self.right is None:
            return np.ones(len(self._outcome.rows), dtype=np.bool_)
        return self.right if which == "right" else ~self.right

    def _labelled(self, wanted: Wanted) -> NDArray[np.bool_]:
        pairs = ((wanted.target, "target"), (wanted.predicted, "answer"))
        flags = np.ones(len(self._outcome.rows), dtype=np.bool_)
        for label, name in pairs:
            if label is not None:
                flags &= np.array([getattr(said, name) == label for said in self._said])
        return flags

    def _has(self, place: int, words: Sequence[str]) -> bool:
        said = self._said[place]
        text = f"{said.text}\n{said.target}\n{said.answer}".lower()
        return all(word in text for word in words)


class Judged:
    """The rows of the evaluations looked at last; threads may share it."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, int], Rows] = OrderedDict()
        self._lock = Lock()

    def of(self, run: RunFolder) -> Rows:
        """The rows of a run.

        Raises:
            DataError: C20 when they were not kept or cannot be read.
        """
        changed = run.outcome.stat().st_mtime_ns if run.outcome.exists() else 0
        with self._lock:
            known = self._known.get((run.id, changed))
        if known is None:
            known = Rows(outcome_file.read(run.outcome))
        with self._lock:
            self._known[run.id, changed] = known
            self._known.move_to_end((run.id, changed))
            while len(self._known) > _IN_MEMORY:
                self._known.popitem(last=False)
        return known
