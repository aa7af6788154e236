"""What a model did on a part of the data, before anything is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

THRESHOLD = 0.5
"""From this probability on a row has a label, where it may have several."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelOutcome:
    """What a classifier said of each row of a part.

    `targets` and `predicted` [rows] are indices into `labels`, `probabilities` is [rows, labels], and `rows`
    [rows] are the ledger's row numbers, by which an example is found again in its file.
    """

    labels: tuple[str, ...]
    texts: Sequence[str]
    targets: NDArray[np.integer[Any]]
    predicted: NDArray[np.integer[Any]]
    probabilities: NDArray[np.floating[Any]]
    rows: NDArray[np.integer[Any]]

    def __post_init__(self) -> None:
        count = len(self.targets)
        lengths = (len(self.texts), len(self.predicted), len(self.rows))
        shape = (count, len(self.labels))
        if lengths != (count,) * 3 or self.probabilities.shape != shape:
            raise ValueError(f"{lengths} and {self.probabilities.shape} do not fit {shape}")

    def answered(self, probabilities: NDArray[np.floating[Any]]) -> LabelOutcome:
        """The same rows with another model's `probabilities` [rows, labels], the most probable predicted."""
        return replace(self, probabilities=probabilities, predicted=probabilities.argmax(axis=1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelsOutcome:
    """What a classifier said of each row that may have several labels.

    `targets` is [rows, labels] of 0 and 1, `probabilities` [rows, labels]; `rows` as above.
    """

    labels: tuple[str, ...]
    texts: Sequence[str]
    targets: NDArray[np.int8]
    probabilities: NDArray[np.floating[Any]]
    rows: Sequence[int]

    @property
    def predicted(self) -> NDArray[np.int8]:
        """The labels [rows, labels] that are likelier than not."""
        return (self.probabilities >= THRESHOLD).astype(np.int8)

    def answered(self, probabilities: NDArray[np.floating[Any]]) -> LabelsOutcome:
        """The same rows with another model's probabilities."""
        return replace(self, probabilities=probabilities)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TokenOutcome:
    """How well a language model foresaw each row: `nll` [rows] in nats is summed over its `tokens` [rows].

    `right` [rows] are the tokens that it found likelier than any other, where they were counted.
    """

    nll: NDArray[np.floating[Any]]
    tokens: NDArray[np.integer[Any]]
    rows: Sequence[int]
    right: NDArray[np.integer[Any]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOutcome:
    """What a model wrote for each source of a part, beside the target in the data; `rows` as above."""

    sources: Sequence[str]
    targets: Sequence[str]
    predicted: Sequence[str]
    rows: Sequence[int]

    def answered(self, predicted: Sequence[str]) -> TextOutcome:
        """The same rows with what another model wrote."""
        return replace(self, predicted=predicted)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PreferenceOutcome:
    """The rewards [rows, 2] of the better and the worse answer of each row, in nats, and their lengths.

    `tokens` is [rows, 2]; `rows` as above.
    """

    rewards: NDArray[np.floating[Any]]
    tokens: NDArray[np.integer[Any]]
    rows: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RetrievalOutcome:
    """Where among all `documents` of a part each source finds its own.

    `right` [rows] are indices into `documents`, `ranks` [rows] count from 1; `rows` as above.
    """

    sources: Sequence[str]
    documents: Sequence[str]
    right: NDArray[np.int64]
    ranks: NDArray[np.int64]
    rows: Sequence[int]

    def ranked(self, ranks: NDArray[np.int64]) -> RetrievalOutcome:
        """The same rows with another model's ranks."""
        return replace(self, ranks=ranks)


Entity = tuple[int, int, str]
"""Where in a text it begins and ends, in code points, and its label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityOutcome:
    """The entities of each text of a part in the data, and those that a model found.

    `tokens` are where the tokens of each text stand; `rows` as above.
    """

    texts: Sequence[str]
    tokens: Sequence[Sequence[tuple[int, int]]]
    targets: Sequence[Sequence[Entity]]
    predicted: Sequence[Sequence[Entity]]
    rows: Sequence[int]

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels there are, in the data or found."""
        sides = (*self.targets, *self.predicted)
        return tuple(sorted({label for row in sides for _, _, label in row}))


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerOutcome:
    """What a model answered to each question of a part from the text beside it; empty is no answer.

    `targets` are all right answers of each question, none where its text has none; `rows` as above.
    """

    questions: Sequence[str]
    contexts: Sequence[str]
    targets: Sequence[Sequence[str]]
    predicted: Sequence[str]
    rows: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreOutcome:
    """The number [rows] that a model gives each text, beside that in the data; `rows` as above."""

    texts: Sequence[str]
    targets: NDArray[np.floating[Any]]
    predicted: NDArray[np.floating[Any]]
    rows: Sequence[int]

    def answered(self, predicted: NDArray[np.floating[Any]]) -> ScoreOutcome:
        """The same rows with another model's numbers."""
        return replace(self, predicted=predicted)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimilarityOutcome:
    """How alike a model finds each source and the other text, beside the number in the data; `rows` as above.

    `predicted` and `targets` are [rows].
    """

    sources: Sequence[str]
    others: Sequence[str]
    targets: NDArray[np.floating[Any]]
    predicted: NDArray[np.floating[Any]]
    rows: Sequence[int]

    def answered(self, predicted: NDArray[np.floating[Any]]) -> SimilarityOutcome:
        """The same rows with what another model finds."""
        return replace(self, predicted=predicted)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SolvedOutcome:
    """What a model answered to the questions of a suite, and whether each answer is `right` [rows].

    `tasks` are the tasks of the suite that the rows are of; `rows` number them through all of them.
    """

    tasks: Sequence[str]
    sources: Sequence[str]
    targets: Sequence[str]
    predicted: Sequence[str]
    right: NDArray[np.bool_]
    rows: Sequence[int]


Outcome = (
    LabelOutcome
    | LabelsOutcome
    | ScoreOutcome
    | SimilarityOutcome
    | TokenOutcome
    | TextOutcome
    | PreferenceOutcome
    | RetrievalOutcome
    | EntityOutcome
    | AnswerOutcome
    | SolvedOutcome
)

WHOLE = ("labels", "documents")
"""What an outcome has once and not for each row."""


def take(outcome: Outcome, places: NDArray[np.integer[Any]]) -> Outcome:
    """Some of the rows of an outcome, in this order and as often as they are named."""
    named = {field.name: getattr(outcome, field.name) for field in fields(outcome)}
    return replace(outcome, **{name: _rows(v, places) for name, v in named.items() if name not in WHOLE})


def renumbered(outcome: Outcome, numbers: Mapping[int, int]) -> Outcome:
    """The outcome with other numbers for its rows."""
    changes: dict[str, Any] = {"rows": [numbers[int(row)] for row in outcome.rows]}
    return replace(outcome, **changes)


def _rows(values: Any, places: NDArray[np.integer[Any]]) -> Any:
    if values is None:
        return None
    return values[places] if isinstance(values, np.ndarray) else [values[place] for place in places.tolist()]


def aligned(
    probabilities: NDArray[np.float32], found: tuple[str, ...], wanted: tuple[str, ...]
) -> NDArray[np.float32]:
    """Columns named `found` put in the order of `wanted`; a label not among them has probability 0."""
    result = np.zeros((len(probabilities), len(wanted)), dtype=np.float32)
    for column, label in enumerate(found):
        result[:, wanted.index(label)] = probabilities[:, column]
    return result
