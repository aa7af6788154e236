"""Pairs of answers for people, who do not know whose they are; what was rated already is left out."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tunesmith.core.workspace import Workspace
from tunesmith.eval.judges import ratings
from tunesmith.eval.judges.ratings import PairRating
from tunesmith.eval.judges.verdicts import Choice, swapped
from tunesmith.workflow.judges import answering

Place = Literal["first", "second", "tie"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two answers in the order in which they are shown, which a seed decides; `number` of `total`, from 1."""

    prompt: str
    a: str
    b: str
    is_swapped: bool
    number: int
    total: int

    @property
    def shown(self) -> tuple[str, str]:
        """The answers, first and second."""
        return (self.b, self.a) if self.is_swapped else (self.a, self.b)

    def rating(self, place: Place) -> PairRating:
        """The rating of whoever prefers the answer at a place."""
        by_place: dict[Place, Choice] = {"first": "a", "second": "b", "tie": "tie"}
        said = by_place[place]
        choice = swapped(said) if self.is_swapped else said
        shown: Literal["a", "b"] = "b" if self.is_swapped else "a"
        return PairRating(prompt=self.prompt, a=self.a, b=self.b, choice=choice or "tie", shown=shown)


def pairs(
    one: str, other: str, data: Path, kept: Path, workspace: Workspace, *, limit: int | None, seed: int
) -> Iterator[Pair]:
    """The pairs still to be rated; models answer as they are asked for. Equal answers are not shown.

    Raises:
        NotFoundError, DataError, ModelError: when a model or file cannot be used.
    """
    models = [answering.speaker(name, workspace) for name in (one, other)]
    asked = answering.questions(data, limit=limit)
    rated = {each.id for each in read(kept)}
    for number, question in enumerate(asked, start=1):
        a, b = (answering.answer(model, question, workspace) for model in models)
        name = ratings.pair_id(question.text, a, b)
        if a != b and name not in rated:
            is_swapped = random.Random(f"{seed} {name}").random() < 0.5  # noqa: S311  no secret
            place = {"number": number, "total": len(asked)}
            yield Pair(prompt=question.text, a=a, b=b, is_swapped=is_swapped, **place)


def read(file: Path) -> Sequence[PairRating]:
    """The ratings of pairs that a file has, if it is there.

    Raises:
        DataError: C51 when it cannot be read.
    """
    found = ratings.read(file) if file.is_file() else ()
    return [each for each in found if isinstance(each, PairRating)]


def summary(rated: Sequence[PairRating]) -> dict[str, int]:
    """How often each was preferred."""
    return {choice: sum(each.choice == choice for each in rated) for choice in ("a", "b", "tie")}
