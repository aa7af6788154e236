"""A small outcome and the report of it."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.core.events import Answer
from tunesmith.eval.gate import Check, Verdict
from tunesmith.eval.outcome import LabelOutcome
from tunesmith.eval.report import (
    Candidate,
    Provenance,
    Report,
    TrainingPoint,
    ValidationPoint,
)
from tunesmith.eval.significance import Difference, Interval


def make_outcome(labels: tuple[str, ...], targets: list[int], shares: list[list[float]]) -> LabelOutcome:
    """Rows whose texts say their number and whose ledger rows start at 100."""
    probabilities = np.array(shares, dtype=np.float32).reshape(len(targets), len(labels))
    return LabelOutcome(
        labels=labels,
        texts=[f"text {i}" for i in range(len(targets))],
        targets=np.array(targets, dtype=np.int64),
        predicted=probabilities.argmax(axis=1),
        probabilities=probabilities,
        rows=np.arange(100, 100 + len(targets)),
    )


@pytest.fixture
def outcome() -> LabelOutcome:
    """Five rows of three labels; the third and the last are wrong, the last one surely."""
    return make_outcome(
        ("退款", "发票", "other"),
        [0, 0, 1, 2, 2],
        [[0.9, 0.1, 0], [0.8, 0.1, 0.1], [0.6, 0.4, 0], [0, 0.1, 0.9], [0.01, 0.99, 0]],
    )


@pytest.fixture
def report(outcome: LabelOutcome) -> Report:
    """A report in which everything is filled in."""
    empty = Report(
        task="classify",
        model="minilm",
        part="test",
        rows=5,
        scores={"accuracy": 0.6, "macro_f1": 0.575},
        directions={"accuracy": "higher", "macro_f1": "higher"},
        provenance=Provenance(run="tickets-1", data="d" * 64, model="m" * 64, versions={"torch": "2.13"}),
        intervals={"accuracy": Interval(low=0.25, high=0.875)},
        differences=(
            Difference(metric="accuracy", beside="majority", value=0.2, low=0.125, high=0.375, p=4e-4,
                       detectable=0.15),
            Difference(metric="accuracy", beside="tfidf", value=0.1, low=-0.125, high=0.25, p=0.4,
                       detectable=0.3125),
        ),
        baselines={"majority": {"accuracy": 0.4, "macro_f1": 0.19}, "tfidf": {"accuracy": 0.5}},
        samples=(Answer(prompt="你好", answer="hello", expected=None),),
        candidates=(Candidate(name="minilm", scores={"accuracy": 0.7}, kept=True),),
        curve=tuple(TrainingPoint(step=i, loss=2 / i, learning_rate=1e-4) for i in range(1, 40)),
        validation=tuple(
            ValidationPoint(step=i, scores={"loss": 1.0, "accuracy": 0.1 * i}) for i in (2, 4, 6)
        ),
        ledger={
            "read": 20, "used": 12, "truncated": 2, "duplicate": 1,
            "dropped": {"unlabelled": 2}, "held_out": {"test": 5},
        },
        gate=Verdict(
            passed=False,
            checks=(
                Check(metric="accuracy", rule="at_least", bound=0.9, value=0.6, passed=False),
                Check(metric="accuracy", rule="not_worse_than", bound=None, value=0.6, passed=True,
                      reference="production"),
                Check(metric="accuracy", rule="not_worse_than", bound=0.5, value=0.6, passed=False,
                      reference="tfidf", gain=-0.125, margin=0.0625),
                Check(metric="accuracy", rule="better_than", bound=0.4, value=0.6, passed=True,
                      reference="majority", gain=0.1875, margin=0.0),
            ),
        ),
        seconds=1.5,
    )  # fmt: skip
    return empty.with_labels(outcome, lambda row: ("tickets.csv", row + 2))
