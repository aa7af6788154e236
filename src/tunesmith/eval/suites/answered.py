"""What a model did on the questions of a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.eval.outcome import TextOutcome
from tunesmith.eval.suites.definition import SuiteTask
from tunesmith.eval.suites.subject import Subject
from tunesmith.eval.sums import Sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a model did on the questions of a task.

    The first of `sums` is the figure of the task, the others are told beside it. `chance` is what guessing
    would reach, where it can be said; `cut` are the rows whose prompts did not fit into the context.
    """

    outcome: TextOutcome
    sums: Mapping[str, Sums]
    chance: float | None = None
    cut: int = 0

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which rows are right by the figure of the task."""
        return next(iter(self.sums.values())).rows[:, 0] > 0


def answers(
    task: SuiteTask, subject: Subject, texts: Sequence[str], stop: Sequence[str]
) -> tuple[list[str], int]:
    """What the model writes after each text, and how many of those had to be cut."""
    written = subject.write(texts, stop=stop, max_new_tokens=task.max_new_tokens)
    return [each.text for each in written], sum(each.cut > 0 for each in written)
