"""A classification label by label: a table, a confusion matrix, and the mistakes the model was surest of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tunesmith.eval.metrics import labelled
from tunesmith.eval.outcome import LabelOutcome

MAX_MISTAKES = 20
_MAX_CHARACTERS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScore:
    """How one label fared; `support` is its number of rows."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A row the model got wrong, where it is, and how sure the model was of the label it gave."""

    text: str
    file: str | None
    line: int | None
    target: str
    predicted: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """How often one label was given for another; `share` is of the target's rows."""

    target: str
    predicted: str
    count: int
    share: float


Place = Callable[[int], tuple[str | None, int | None]]


def per_class(outcome: LabelOutcome) -> tuple[ClassScore, ...]:
    """Precision, recall, F1 and support of every label, in the order of the labels.

    Raises:
        DataError: E03 when the outcome has no rows.
    """
    from sklearn.metrics import precision_recall_fscore_support

    found = labelled(outcome, "per_class")
    columns = precision_recall_fscore_support(
        found.targets, found.predicted, labels=range(len(found.labels)), zero_division=0.0
    )
    return tuple(
        ClassScore(label=label, precision=float(p), recall=float(r), f1=float(f), support=int(support))
        for label, p, r, f, support in zip(found.labels, *columns, strict=True)
    )


def confusion_matrix(outcome: LabelOutcome) -> tuple[tuple[int, ...], ...]:
    """Counts [target, predicted].

    Raises:
        DataError: E03 when the outcome has no rows.
    """
    from sklearn.metrics import confusion_matrix as count

    found = labelled(outcome, "confusion_matrix")
    matrix = count(found.targets, found.predicted, labels=range(len(found.labels)))
    return tuple(tuple(int(value) for value in row) for row in matrix)


def most_confused(
    labels: tuple[str, ...], matrix: tuple[tuple[int, ...], ...], limit: int
) -> tuple[Confusion, ...]:
    """The pairs of different labels that were taken for each other most often, the most frequent first."""
    pairs = [
        Confusion(target=labels[i], predicted=labels[j], count=count, share=count / sum(row))
        for i, row in enumerate(matrix)
        for j, count in enumerate(row)
        if i != j and count
    ]
    return tuple(sorted(pairs, key=lambda pair: (-pair.count, -pair.share))[:limit])


def mistakes(outcome: LabelOutcome, place: Place, limit: int = MAX_MISTAKES) -> tuple[Mistake, ...]:
    """The wrong rows whose wrong label was most probable; `place` tells the file and line of a ledger row."""
    given = outcome.probabilities[np.arange(len(outcome.targets)), outcome.predicted]
    wrong = np.flatnonzero(outcome.predicted != outcome.targets)
    surest = wrong[np.argsort(-given[wrong], kind="stable")][:limit]
    return tuple(_mistake(outcome, int(i), place, float(given[i])) for i in surest)


def _mistake(outcome: LabelOutcome, i: int, place: Place, probability: float) -> Mistake:
    file, line = place(int(outcome.rows[i]))
    return Mistake(
        text=clip(outcome.texts[i]),
        file=file,
        line=line,
        target=outcome.labels[int(outcome.targets[i])],
        predicted=outcome.labels[int(outcome.predicted[i])],
        probability=probability,
    )


def clip(text: str) -> str:
    """The beginning of a text, without what cannot be written as UTF-8."""
    short = text if len(text) <= _MAX_CHARACTERS else text[:_MAX_CHARACTERS] + "…"
    return short.encode("utf-8", "replace").decode("utf-8")
