"""Two models against each other, by a judge that sees their answers in both orders."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tunesmith.core import durable
from tunesmith.core.errors import ModelError
from tunesmith.core.events import Answer
from tunesmith.core.workspace import Workspace
from tunesmith.eval import significance
from tunesmith.eval.judges.verdicts import Pairwise
from tunesmith.eval.report import Provenance, Report
from tunesmith.eval.significance import Difference
from tunesmith.eval.sums import Sums, mean, ratio
from tunesmith.workflow.judges import answering
from tunesmith.workflow.judges.sitting import TASK, Told, Wishes, figures, sit

_SHOWN = 5
# What a standard error is multiplied with for a difference that a test of 5 % finds four times in five.
_POWER = 2.801585
_WORTH = {"a": 1.0, "b": -1.0, "tie": 0.0}


@dataclass(frozen=True, slots=True)
class _Judgement:
    question: str
    answers: tuple[str, str]
    said: Pairwise


def compare(
    one: str, other: str, data: Path, workspace: Workspace, wishes: Wishes, told: Told = lambda done, of: None
) -> Report:
    """How often a judge prefers the answers of `one` to those of `other`; a tie counts half.

    Raises:
        NotFoundError, DataError, ModelError: when models, judge or file cannot be used; C52 when the judge
            could not be read once.
    """
    began = time.monotonic()
    sitting = sit(wishes, workspace)
    models = [answering.speaker(name, workspace) for name in (one, other)]
    asked = answering.questions(data, limit=wishes.limit)
    found: list[_Judgement] = []
    for question in asked:
        mine, theirs = (answering.answer(model, question, workspace) for model in models)
        said = sitting.judge.compare(question.text, mine, theirs)
        found.append(_Judgement(question.text, (mine, theirs), said))
        told(len(found), len(asked))
    scores, intervals = figures(_sums(wishes.judge, [each.said for each in found]))
    return Report(
        task=TASK,
        model=one,
        part=data.name,
        rows=len(asked),
        scores=scores,
        intervals=intervals,
        directions={name: "lower" if name == "unanswered" else "higher" for name in scores},
        provenance=Provenance(run="", data=durable.sha256(data), model=models[0].digest),
        baselines={other: {"win_rate": 1 - scores["win_rate"]}},
        differences=(_difference(other, [each.said for each in found]),),
        samples=tuple(_samples(found)),
        judge=sitting.judged("pair"),
        gate=sitting.gate("pair", wishes.min_kappa),
        seconds=time.monotonic() - began,
    )


def _sums(judge: str, said: Sequence[Pairwise]) -> dict[str, Sums]:
    """`first_preferred` is one half without position bias; it counts each order by itself."""
    worth = _worth(said)
    if not len(worth):
        raise ModelError("C52", name=judge, rows=len(said))
    read = [each for each in said if each.choice is not None]
    firsts = np.array([each.firsts for each in said], dtype=np.float64)
    # Where all are ties no place was preferred.
    places = {"first_preferred": ratio(firsts[:, 0], firsts[:, 1])} if firsts[:, 1].any() else {}
    return {
        "win_rate": mean((worth + 1) / 2),
        "consistency": mean([each.is_consistent for each in read]),
        **places,
        "unanswered": mean([each.choice is None for each in said]),
    }


def _worth(said: Sequence[Pairwise]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """1 for each win, -1 for each loss, 0 for each tie."""
    return np.array([_WORTH[each.choice] for each in said if each.choice is not None], dtype=np.float64)


def _difference(beside: str, said: Sequence[Pairwise]) -> Difference:
    """Wins less losses, as a share of the pairs, tested by their signs."""
    worth = _worth(said)
    _, intervals = figures({"net": mean(worth)})
    return Difference(
        metric="win_rate",
        beside=beside,
        value=float(worth.mean()),
        low=intervals["net"].low,
        high=intervals["net"].high,
        p=significance.mcnemar(worth > 0, worth < 0),
        detectable=_POWER * float(worth.std()) / len(worth) ** 0.5,
    )


def _samples(found: Sequence[_Judgement]) -> Iterator[Answer]:
    """The first lost questions, with the better answer beside; where none is lost, the first."""
    order = sorted(found, key=lambda each: each.said.choice != "b")
    for each in order[:_SHOWN]:
        yield Answer(prompt=each.question, answer=each.answers[0], expected=each.answers[1])
