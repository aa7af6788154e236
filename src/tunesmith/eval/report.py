"""The report of one evaluation: everything the page, the terminal and other programs show of it.

`report.json` is its `as_dict`, in which infinity and NaN are words (`core.plain`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from tunesmith.core.errors import DataError, NotFoundError
from tunesmith.core.events import Answer
from tunesmith.core.plain import plain
from tunesmith.eval import classes
from tunesmith.eval.ablation import Ablation
from tunesmith.eval.calibration import Calibration
from tunesmith.eval.causes import Cause
from tunesmith.eval.classes import ClassScore, Mistake, Place
from tunesmith.eval.forgetting import Forgetting
from tunesmith.eval.gate import OPEN, Verdict
from tunesmith.eval.metrics import Direction
from tunesmith.eval.outcome import LabelOutcome
from tunesmith.eval.significance import Difference, Interval
from tunesmith.eval.slices import Slices
from tunesmith.eval.thresholds import Threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A model that was tried on the validation part, and whether it was kept."""

    name: str
    scores: Mapping[str, float]
    kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Settings that were tried and their figure on the validation part.

    `state` is complete, pruned (ended early) or failed; the first has a figure.
    """

    trial: int
    values: Mapping[str, Any]
    state: str
    figure: float | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The trials by which settings were found; `best` is the number of the one that was kept."""

    metric: str
    direction: Direction
    best: int
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPoint:
    """The loss and the learning rate of one training step; the loss is in nats per target."""

    step: int
    loss: float
    learning_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationPoint:
    """Scores on the validation part after a step."""

    step: int
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Which weights of a training were kept: by the rule `keep` of the recipe, the ones after `step`."""

    keep: str
    step: int
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What the figures were made from: run, data (sha256), model (sha256), versions of packages."""

    run: str
    data: str
    model: str
    versions: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Cohen's kappa of a judge and people on so many `ratings`, and where it is by 95 %."""

    kappa: float
    low: float
    high: float
    ratings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Whose judgement the figures are, and what it cost.

    `rubric` is the sha256 of what it was asked; `agreement` None where it was never measured. `requests` were
    put now, `kept` ones before.
    """

    name: str
    rubric: str
    agreement: Agreement | None
    requests: int
    kept: int
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long a model took for the rows, loading apart; `tokens` are those that it wrote, if it writes."""

    rows: int
    seconds: float
    tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One model on one part of the data, beside its baselines.

    `intervals` are where the true scores are by 95 %; `differences` those to each baseline on the same rows.
    `directions` says of each metric whether higher or lower is better; `confusion` is [target, predicted] in
    the order of `labels`; `ledger` is the summary of what became of every input row.
    """

    task: str
    model: str
    part: str
    rows: int
    scores: Mapping[str, float]
    directions: Mapping[str, Direction]
    provenance: Provenance
    intervals: Mapping[str, Interval] = field(default_factory=dict[str, Any])
    baselines: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Any])
    differences: tuple[Difference, ...] = ()
    labels: tuple[str, ...] = ()
    per_class: tuple[ClassScore, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    samples: tuple[Answer, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    search: Search | None = None
    curve: tuple[TrainingPoint, ...] = ()
    validation: tuple[ValidationPoint, ...] = ()
    weights: Weights | None = None
    ledger: Mapping[str, Any] = field(default_factory=dict[str, Any])
    forgetting: Forgetting | None = None
    ablation: Ablation | None = None
    judge: Judged | None = None
    gate: Verdict = OPEN
    slices: Slices | None = None
    calibration: Calibration | None = None
    thresholds: tuple[Threshold, ...] = ()
    causes: tuple[Cause, ...] = ()
    pace: Pace | None = None
    seconds: float = 0.0
    format: Literal[1] = 1

    def with_labels(self, outcome: LabelOutcome, place: Place) -> Report:
        """The report with the per-class table, confusion matrix and mistakes of `outcome`.

        Raises:
            DataError: E03 when the outcome has no rows.
        """
        return replace(
            self,
            labels=outcome.labels,
            per_class=classes.per_class(outcome),
            confusion=classes.confusion_matrix(outcome),
            mistakes=classes.mistakes(outcome, place),
        )

    def as_dict(self) -> dict[str, Any]:
        """The form of report.json: plain JSON values."""
        content: dict[str, Any] = plain(asdict(self))
        return content

    @classmethod
    def load(cls, path: Path) -> Report:
        """Read report.json.

        Raises:
            NotFoundError: C01 when the file does not exist.
            DataError: E06 when it is not a report.
        """
        from pydantic import TypeAdapter

        try:
            content = path.read_bytes()
            return TypeAdapter(cls).validate_json(content)
        except FileNotFoundError as error:
            raise NotFoundError("C01", file=path) from error
        except (OSError, ValueError) as error:
            # pydantic names every wrong field on lines of its own; the first says enough.
            reason = "; ".join(str(error).splitlines()[:3])
            raise DataError("E06", file=path, reason=reason) from error
