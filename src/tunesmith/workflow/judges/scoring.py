"""The answers of a model, each given a score by a judge."""

from __future__ import annotations

import time
from pathlib import Path

from tunesmith.core import durable
from tunesmith.core.errors import ModelError
from tunesmith.core.events import Answer
from tunesmith.core.workspace import Workspace
from tunesmith.eval.report import Provenance, Report
from tunesmith.eval.sums import mean
from tunesmith.workflow.judges import answering
from tunesmith.workflow.judges.sitting import TASK, Told, Wishes, figures, sit

_SHOWN = 5


def score(
    name: str, data: Path, workspace: Workspace, wishes: Wishes, told: Told = lambda done, of: None
) -> Report:
    """The mean score that a judge gives a model's answers, from 1 to the scale of the rubric.

    Raises:
        NotFoundError, DataError, ModelError: when model, judge or file cannot be used; C52 when the judge
            could not be read once.
    """
    began = time.monotonic()
    sitting = sit(wishes, workspace)
    model = answering.speaker(name, workspace)
    asked = answering.questions(data, limit=wishes.limit)
    found: list[tuple[int | None, Answer]] = []
    for question in asked:
        answer = answering.answer(model, question, workspace)
        value = sitting.judge.score(question.text, answer)
        found.append((value, Answer(prompt=question.text, answer=answer, expected=None)))
        told(len(found), len(asked))
    values = [value for value, _ in found if value is not None]
    if not values:
        raise ModelError("C52", name=wishes.judge, rows=len(asked))
    worst = sorted((each for each in found if each[0] is not None), key=lambda each: each[0] or 0)
    scores, intervals = figures(
        {"judge_score": mean(values), "unanswered": mean([value is None for value, _ in found])}
    )
    return Report(
        task=TASK,
        model=name,
        part=data.name,
        rows=len(asked),
        scores=scores,
        intervals=intervals,
        directions={"judge_score": "higher", "unanswered": "lower"},
        provenance=Provenance(run="", data=durable.sha256(data), model=model.digest),
        samples=tuple(answer for _, answer in worst[:_SHOWN]),
        judge=sitting.judged("score"),
        gate=sitting.gate("score", wishes.min_kappa),
        seconds=time.monotonic() - began,
    )
