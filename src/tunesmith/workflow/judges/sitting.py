"""A judge at work in a workspace: what it costs, and what is known of its agreement with people."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from tunesmith.core import durable
from tunesmith.core.workspace import Workspace
from tunesmith.eval import significance
from tunesmith.eval.gate import OPEN, Check, Verdict
from tunesmith.eval.judges import rubric
from tunesmith.eval.judges.judge import Judge, Speaker
from tunesmith.eval.metrics import Figures
from tunesmith.eval.outcome import TextOutcome
from tunesmith.eval.report import Agreement, Judged
from tunesmith.eval.significance import Interval
from tunesmith.eval.sums import Sums
from tunesmith.models import endpoint
from tunesmith.models.hosted import HostedModel
from tunesmith.models.turns import Message
from tunesmith.workflow.judges.answering import is_the_same, speaker

KAPPA = "judge_kappa"
TASK = "judge"
Kind = Literal["pair", "score"]
Told = Callable[[int, int], None]
"""Hears how many of how many are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """Who judges by what, how many questions are asked, and how far the judge has to agree with people."""

    judge: str
    rubric: Path | None = None
    limit: int | None = None
    min_kappa: float | None = None


@dataclass(slots=True)
class _Counting:
    """A model in memory that counts the tokens it reads and writes."""

    model: Any
    tokens: int = 0

    @property
    def digest(self) -> str:
        return str(self.model.digest)

    def chat(self, messages: Sequence[Message], **settings: Any) -> str:
        said: str = self.model.chat(messages, **settings)
        texts = [*(str(turn["content"]) for turn in messages), said]
        self.tokens += sum(len(self.model.tokenizer.encode(text).ids) for text in texts)
        return said


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """A judge, by its name, and where its judgements and its agreements are kept."""

    judge: Judge
    name: str
    workspace: Workspace
    tokens: Callable[[], int]

    def judged(self, kind: Kind) -> Judged:
        """What a report says of the judge."""
        return Judged(
            name=self.name,
            rubric=self.judge.rubric.digest,
            agreement=self.agreement(kind),
            requests=self.judge.cost.requests,
            kept=self.judge.cost.kept,
            tokens=self.tokens(),
        )

    def agreement(self, kind: Kind) -> Agreement | None:
        """What was measured of this judge by this rubric; None if nothing was."""
        file = self._file(kind)
        return Agreement(**json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None

    def remember(self, kind: Kind, found: Agreement) -> None:
        """Keep what was measured, for all reports to come."""
        durable.write_json(self._file(kind), asdict(found))

    def gate(self, kind: Kind, least: float | None) -> Verdict:
        """Whether the judge may be trusted; one that was never measured may not, if anything is asked."""
        if least is None:
            return OPEN
        found = self.agreement(kind)
        value = found.kappa if found else math.nan
        check = Check(metric=KAPPA, rule="at_least", bound=least, value=value, passed=value >= least)
        return Verdict(passed=check.passed, checks=(check,))

    def _file(self, kind: Kind) -> Path:
        return self.workspace.root / "judges" / f"{self.judge.digest}-{kind}.json"


def sit(wishes: Wishes, workspace: Workspace) -> Sitting:
    """Call a judge.

    Raises:
        NotFoundError: M01 when there is no such model; R01 no such rubric.
        RecipeError: all mistakes of the rubric.
        ModelError: C45 when the model does not answer questions.
    """
    asked = speaker(wishes.judge, workspace)
    model, tokens = _counted(asked, workspace)
    place = workspace.cache / "judged" if is_the_same(asked) else None
    judge = Judge(model=model, rubric=rubric.load(wishes.rubric), place=place)
    return Sitting(judge=judge, name=wishes.judge, workspace=workspace, tokens=tokens)


def _counted(model: Speaker, workspace: Workspace) -> tuple[Speaker, Callable[[], int]]:
    """The model, and the tokens it has used since now: hosts count their own."""
    if isinstance(model, HostedModel):
        before = endpoint.spent(model.endpoint, workspace).tokens
        return model, lambda: endpoint.spent(model.endpoint, workspace).tokens - before
    counting = _Counting(model)
    return counting, lambda: counting.tokens


def figures(sums: Mapping[str, Sums]) -> tuple[dict[str, float], dict[str, Interval]]:
    """The values of figures, and where the truth is."""
    rows = max(len(each.rows) for each in sums.values())
    scores = {name: each.value for name, each in sums.items()}
    found = dict[str, Interval]()
    for name, each in sums.items():
        # Each may have rows of its own: some are of the pairs that were read only.
        outcome = TextOutcome(sources=(), targets=(), predicted=(), rows=range(len(each.rows)))
        alone = Figures(outcome=outcome, scores={name: scores[name]}, sums={name: each})
        found |= significance.intervals(alone) if rows and len(each.rows) else {}
    return scores, found
