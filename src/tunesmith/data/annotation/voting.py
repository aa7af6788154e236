"""What several suggesters say, put together by weighted vote."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from tunesmith.core.store.labelling import Answer, Suggestion
from tunesmith.data.annotation.answers import same
from tunesmith.data.annotation.kinds import SPANS


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """An answer, who gives it, how sure they are (0 to 1), and how much they count."""

    by: str
    answer: Answer
    score: float
    weight: float = 1.0


def combined(task: str, votes: Sequence[Vote]) -> list[Suggestion]:
    """One suggestion for each answer, the one with most of the weight first; its share is its score.

    Spans are voted on one by one: of those that share characters the heaviest stays.
    """
    if task == SPANS:
        return _spans(votes)
    weights: dict[Hashable, float] = defaultdict(float)
    said: dict[Hashable, Vote] = {}
    by: dict[Hashable, list[str]] = defaultdict(list)
    for vote in votes:
        key = same(task, vote.answer)
        weights[key] += vote.weight * vote.score
        said.setdefault(key, vote)
        by[key].append(vote.by)
    # What nobody is sure of does not become sure by being alone.
    whole = max(sum(vote.weight for vote in votes), 1e-9)
    ranked = sorted(weights, key=lambda key: -weights[key])
    return [
        Suggestion(by=_names(by[key]), answer=said[key].answer, score=round(weights[key] / whole, 4))
        for key in ranked
    ]


def _spans(votes: Sequence[Vote]) -> list[Suggestion]:
    weights: dict[tuple[int, int, str], float] = defaultdict(float)
    for vote in votes:
        for span in vote.answer["spans"]:
            weights[span["start"], span["end"], span["label"]] += vote.weight * vote.score
    kept: list[tuple[int, int, str]] = []
    for start, end, label in sorted(weights, key=lambda place: (-weights[place], place)):
        if all(end <= other[0] or start >= other[1] for other in kept):
            kept.append((start, end, label))
    if not votes:
        return []
    spans = [{"start": start, "end": end, "label": label} for start, end, label in sorted(kept)]
    score = min((min(1.0, weights[place]) for place in kept), default=0.0)
    names = _names([vote.by for vote in votes])
    return [Suggestion(by=names, answer={"spans": spans}, score=round(score, 4))]


def _names(names: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(names))
