"""A report for any model on a suite of benchmarks from local files."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith.core import durable
from tunesmith.core.errors import NotFoundError, UsageError
from tunesmith.core.events import Answer
from tunesmith.core.workspace import Workspace
from tunesmith.eval import significance
from tunesmith.eval.metrics import Direction, Figures
from tunesmith.eval.outcome import Outcome, SolvedOutcome
from tunesmith.eval.report import Provenance, Report
from tunesmith.eval.suites import definition
from tunesmith.eval.suites.answered import Answered
from tunesmith.eval.suites.asking import ask
from tunesmith.eval.suites.definition import Program, Suite, SuiteTask
from tunesmith.eval.suites.rows import Questions, questions
from tunesmith.eval.suites.subject import subject_of
from tunesmith.eval.sums import Numbers, Sums, divided
from tunesmith.workflow.evaluate import Evaluated, found

TASK = "suite"
_LOWER = ("unanswered", "timeouts")
_SHOWN = 3
_SHOWN_CHARACTERS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user decides beside the suite: where its data is, shots and rows, and how models are asked.

    `run_code` allows what a model wrote to be run.
    """

    folder: Path | None = None
    shots: int | None = None
    limit: int | None = None
    chat: bool = False
    run_code: bool = False


def measure(
    model: str,
    name: str,
    workspace: Workspace,
    options: Options,
    told: Callable[[str, int], None] = lambda task, rows: None,
) -> Evaluated:
    """Put the tasks of a suite to a model; `told` hears of each before it begins.

    Raises:
        NotFoundError: C40, C41, M01 when suite, data or model is not found.
        RecipeError, DataError: when the suite or its data cannot be used.
        UsageError: C44 when code is not to be run.
        ModelError: C45 when the model writes no texts.
    """
    began = time.monotonic()
    suite = definition.load(name)
    _check(suite, options)
    asked = {name: _questions(suite, task, options) for name, task in suite.tasks.items()}
    loaded = found(model, workspace)
    subject = subject_of(loaded, model, chat=options.chat)
    answered: dict[str, Answered] = {}
    for task, of_task in asked.items():
        told(task, len(of_task.asked))
        answered[task] = ask(suite.tasks[task], of_task, subject)
    figures = dict(_figures(answered))
    outcome = _together(answered)
    report = Report(
        task=TASK,
        model=model,
        part=suite.name,
        rows=sum(len(each.asked) for each in asked.values()),
        scores={key: value for each in figures.values() for key, value in each.scores.items()},
        intervals={
            key: value for each in figures.values() for key, value in significance.intervals(each).items()
        },
        directions={key: _direction(key) for each in figures.values() for key in each.scores},
        provenance=Provenance(run="", data=_data(asked.values()), model=loaded.digest if loaded else ""),
        baselines=_chance(answered),
        samples=tuple(_samples(answered)),
        ledger=_ledger(asked, answered),
        seconds=time.monotonic() - began,
    )
    return Evaluated(report=report, outcome=outcome, ids=_ids(outcome, asked))


def _check(suite: Suite, options: Options) -> None:
    """Whether the suite can be carried out at all."""
    if suite.folder is None and options.folder is None:
        raise NotFoundError("C41", name=suite.name, files=", ".join(t.data for t in suite.tasks.values()))
    programs = [name for name, task in suite.tasks.items() if isinstance(task, Program)]
    if programs and not options.run_code:
        raise UsageError("C44", task=programs[0])


def _questions(suite: Suite, task: SuiteTask, options: Options) -> Questions:
    folder = options.folder or suite.folder or Path()
    return questions(task, folder, shots=options.shots, limit=options.limit)


def _figures(answered: Mapping[str, Answered]) -> Iterator[tuple[str, Figures]]:
    """The figures of each task, and before them their mean where there are several."""
    if len(answered) > 1:
        yield "", _named(_together(answered), {"mean": _mean([*answered.values()])})
    for task, each in answered.items():
        sums = {key(answered, task, metric): value for metric, value in each.sums.items()}
        yield task, _named(each.outcome, sums)


def key(answered: Mapping[str, Any], task: str, metric: str) -> str:
    """What a figure of a task is called in the report."""
    return f"{task}/{metric}" if len(answered) > 1 else metric


def _named(outcome: Outcome, sums: Mapping[str, Sums]) -> Figures:
    return Figures(outcome=outcome, scores={name: each.value for name, each in sums.items()}, sums=sums)


def _together(answered: Mapping[str, Answered]) -> SolvedOutcome:
    """All rows of all tasks, numbered anew: files may have the same lines."""
    outcomes = [each.outcome for each in answered.values()]
    return SolvedOutcome(
        tasks=[task for task, each in answered.items() for _ in each.outcome.rows],
        sources=[text for each in outcomes for text in each.sources],
        targets=[text for each in outcomes for text in each.targets],
        predicted=[text for each in outcomes for text in each.predicted],
        right=np.concatenate([each.right for each in answered.values()]),
        rows=range(sum(len(each.rows) for each in outcomes)),
    )


def _ids(outcome: SolvedOutcome, asked: Mapping[str, Questions]) -> dict[int, int]:
    """A number for each row that is the same in every measurement: of its task, and its line there."""
    lines = [(task, line) for task, each in asked.items() for line in each.lines]
    named = zip(outcome.rows, (f"{task} {line}" for task, line in lines), strict=True)
    return {row: int(hashlib.sha256(name.encode()).hexdigest()[:15], 16) for row, name in named}


def _mean(answered: Sequence[Answered]) -> Sums:
    """The mean of the tasks' figures, each counting the same: of each task its right rows and its rows."""
    tasks = len(answered)
    sizes = [len(each.right) for each in answered]
    rows = np.zeros((sum(sizes), 2 * tasks))
    for task, (each, end) in enumerate(zip(answered, np.cumsum(sizes), strict=True)):
        rows[end - len(each.right) : end, task] = each.right
        rows[end - len(each.right) : end, tasks + task] = 1

    def total(sums: Numbers) -> Numbers:
        return np.asarray(divided(sums[..., :tasks], sums[..., tasks:]).mean(axis=-1))

    return Sums(rows, total)


def _direction(name: str) -> Direction:
    return "lower" if name.rpartition("/")[2] in _LOWER else "higher"


def _chance(answered: Mapping[str, Answered]) -> dict[str, dict[str, float]]:
    """What guessing would reach, where that can be said."""
    known = {task: each.chance for task, each in answered.items() if each.chance is not None}
    found = {
        key(answered, task, metric): chance
        for task, chance in known.items()
        for metric in answered[task].sums
        if metric not in _LOWER
    }
    if len(answered) > 1 and len(known) == len(answered):
        found["mean"] = sum(known.values()) / len(known)
    return {"chance": found} if found else {}


def _samples(answered: Mapping[str, Answered]) -> Iterator[Answer]:
    """The first wrong answers of each task; where all are right, the first."""
    for each in answered.values():
        order = np.argsort(each.right, kind="stable")[:_SHOWN]
        for place in order.tolist():
            yield Answer(
                prompt=each.outcome.sources[place][-_SHOWN_CHARACTERS:],
                answer=each.outcome.predicted[place][:_SHOWN_CHARACTERS],
                expected=each.outcome.targets[place][:_SHOWN_CHARACTERS],
            )


def _ledger(asked: Mapping[str, Questions], answered: Mapping[str, Answered]) -> dict[str, Any]:
    """What became of every row of the files."""
    read = sum(each.read for each in asked.values())
    used = sum(len(each.asked) for each in asked.values())
    dropped = {"not drawn": read - used} if read > used else {}
    cut = sum(each.cut for each in answered.values())
    return {
        "read": read, "used": used, "truncated": cut, "duplicate": 0, "dropped": dropped, "held_out": {},
    }  # fmt: skip


def _data(asked: Sequence[Questions] | Any) -> str:
    """The sha256 of all files that were asked."""
    digests = "".join(durable.sha256(each.file) for each in asked)
    return hashlib.sha256(digests.encode()).hexdigest()
