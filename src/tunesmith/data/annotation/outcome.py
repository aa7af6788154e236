"""What was decided about an item, all in all: settled, agreed on, or not yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tunesmith.core.store.labelling import Answer, Decision
from tunesmith.data.annotation.answers import same


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The decisions that stand for an item, and the answer they come to; None where they do not agree."""

    item: int
    decisions: tuple[Decision, ...]
    answer: Answer | None

    @property
    def disagrees(self) -> bool:
        """Whether people answered, and no answer has more of them than every other."""
        return self.answer is None and any(decision.kind == "label" for decision in self.decisions)


def outcomes(task: str, standing: Iterable[Decision]) -> list[Outcome]:
    """What the decisions that stand come to, by item; `standing` is in the order of items."""
    by_item: dict[int, list[Decision]] = {}
    for decision in standing:
        by_item.setdefault(decision.item, []).append(decision)
    return [_outcome(task, item, made) for item, made in by_item.items()]


def voted(task: str, answers: Sequence[Answer], weights: Sequence[float] | None = None) -> Answer | None:
    """The answer with most votes; None when two have as many, or there is none."""
    votes: Counter[Hashable] = Counter()
    first: dict[Hashable, Answer] = {}
    for answer, weight in zip(answers, weights or [1.0] * len(answers), strict=True):
        said = same(task, answer)
        votes[said] += weight  # type: ignore[assignment]
        first.setdefault(said, answer)
    ranked = votes.most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return None
    return first[ranked[0][0]]


def _outcome(task: str, item: int, made: Sequence[Decision]) -> Outcome:
    settled = [decision.answer for decision in made if decision.kind == "settle"]
    said = [decision.answer for decision in made if decision.kind == "label"]
    answers = [answer for answer in settled or said if isinstance(answer, Mapping)]
    return Outcome(item=item, decisions=tuple(made), answer=voted(task, answers))
