"""The validation part, on which a training is measured now and then: scores, and a few answers to look at.

What it costs is bounded: where a model must write to be measured, it writes for some rows only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tunesmith.core.events import Answer
from tunesmith.eval import metrics
from tunesmith.eval.outcome import Outcome, TextOutcome
from tunesmith.models.language import LanguageModel
from tunesmith.tasks.task import Example, Learner
from tunesmith.workflow import measuring
from tunesmith.workflow.parts import Parts
from tunesmith.workflow.plan import Plan

WRITTEN = 64
"""Rows, spread over the part, of a task whose metrics are of what is written."""
SHOWN = 3
"""Answers that each evaluation shows."""
_TOKENS = 48
# What a text is begun with, to be continued: so many characters, and no more than half of it.
_BEGINNING = 80


class Validation:
    """A model in training and the rows of the validation part, encoded; nothing is measured without rows."""

    def __init__(self, plan: Plan, learner: Learner, parts: Parts, examples: Sequence[Example]) -> None:
        self._plan = plan
        self._learner = learner
        self._frame = parts.split("validation")
        self._outcome: Outcome | None = None
        self.examples = some(examples) if plan.task.name in measuring.WRITTEN else examples

    def scores(self) -> dict[str, float]:
        """The metrics that the recipe follows, of the model as it is now."""
        if not self.examples:
            return {}
        self._outcome = measuring.outcome(self._plan.task, self._learner, self._frame, self.examples)
        return metrics.measure(self._plan.followed, self._outcome)

    def answers(self) -> list[Answer]:
        """What the model writes now, for the same few rows each time; nothing where it does not write."""
        if isinstance(self._outcome, TextOutcome):
            found = self._outcome
            sides = zip(found.sources, found.predicted, found.targets, strict=True)
            return [Answer(prompt=p, answer=a, expected=e) for p, a, e in list(sides)[:SHOWN]]
        model = measuring.speaker(self._learner)
        if model is None or not self.examples:
            return []
        if "text" in self._frame.columns:
            return self._continued(model)
        frame, seed = self._frame.head(SHOWN), self._plan.recipe.seed
        return [Answer(**found) for found in measuring.samples(model, frame, seed, SHOWN, _TOKENS)]

    def _continued(self, model: LanguageModel) -> list[Answer]:
        found: list[Answer] = []
        for text in self._frame["text"].head(SHOWN):
            begun, expected = text[: (cut := min(_BEGINNING, len(text) // 2))], text[cut:]
            if len(model.tokenizer.encode(begun).ids) < model.context:
                answer = model.generate(begun, max_new_tokens=_TOKENS, temperature=0.0)
                found.append(Answer(prompt=begun, answer=answer, expected=expected[: len(answer)]))
        return found


def some(examples: Sequence[Example]) -> list[Example]:
    """As many as are written for, spread over all there are."""
    places = np.linspace(0, len(examples) - 1, min(WRITTEN, len(examples))).astype(int)
    return [examples[int(place)] for place in places]
