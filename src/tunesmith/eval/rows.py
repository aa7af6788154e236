"""What a model did on one row: whether it was right, and in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.eval import entities, reading
from tunesmith.eval.classes import clip
from tunesmith.eval.outcome import (
    AnswerOutcome,
    EntityOutcome,
    LabelOutcome,
    LabelsOutcome,
    Outcome,
    PreferenceOutcome,
    RetrievalOutcome,
    ScoreOutcome,
    SimilarityOutcome,
    SolvedOutcome,
    TextOutcome,
)
from tunesmith.eval.sums import sums_of

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row in words: what was asked, what the data has there, and what the model said."""

    text: str
    target: str
    answer: str


def right(outcome: Outcome) -> Flags | None:
    """Whether each row [rows] is right; None where there is only more or less."""
    match outcome:
        case LabelOutcome():
            return np.asarray(outcome.targets == outcome.predicted)
        case LabelsOutcome():
            return np.asarray((outcome.targets == outcome.predicted).all(axis=1))
        case EntityOutcome():
            sides = zip(outcome.targets, outcome.predicted, strict=True)
            return np.array([set(wanted) == set(found) for wanted, found in sides], dtype=np.bool_)
        case AnswerOutcome():
            sums = sums_of(reading.exact_match)
            return sums(outcome).rows[:, 0] > 0 if sums else None
        case RetrievalOutcome():
            return np.asarray(outcome.ranks == 1)
        case SolvedOutcome():
            return outcome.right
        case PreferenceOutcome():
            return np.asarray(outcome.rewards[:, 0] > outcome.rewards[:, 1])
        case _:
            return None


def row(outcome: Outcome, place: int) -> Row | None:
    """The row at `place` in words, if the outcome has any."""
    match outcome:
        case LabelOutcome():
            names = outcome.labels
            wanted, said = names[outcome.targets[place]], names[outcome.predicted[place]]
            return _row(outcome.texts[place], wanted, said)
        case LabelsOutcome():
            sides = (outcome.targets[place], outcome.predicted[place])
            named = [", ".join(np.array(outcome.labels)[side > 0]) for side in sides]
            return _row(outcome.texts[place], *named)
        case EntityOutcome():
            text = outcome.texts[place]
            sides_of = (outcome.targets[place], outcome.predicted[place])
            return _row(text, *(entities.told(text, side) for side in sides_of))
        case AnswerOutcome():
            wanted = " / ".join(outcome.targets[place])
            return _row(outcome.questions[place], wanted, outcome.predicted[place])
        case TextOutcome() | SolvedOutcome():
            return _row(outcome.sources[place], outcome.targets[place], outcome.predicted[place])
        case RetrievalOutcome():
            wanted = outcome.documents[outcome.right[place]]
            return _row(outcome.sources[place], wanted, f"#{outcome.ranks[place]}")
        case ScoreOutcome():
            return _row(outcome.texts[place], *_numbers(outcome, place))
        case SimilarityOutcome():
            both = f"{outcome.sources[place]}\n{outcome.others[place]}"
            return _row(both, *_numbers(outcome, place))
        case _:
            return None


def _numbers(outcome: ScoreOutcome | SimilarityOutcome, place: int) -> tuple[str, str]:
    return f"{outcome.targets[place]:.4g}", f"{outcome.predicted[place]:.4g}"


def _row(text: str, target: str, answer: str) -> Row:
    return Row(text=clip(text), target=clip(target) or "-", answer=clip(answer) or "-")
