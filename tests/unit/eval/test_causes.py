"""Every mistake has one cause, the first that its row shows; doubts are those of cleanlab."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cleanlab.filter import find_label_issues

from tunesmith.eval.causes import Taught, causes, confident
from tunesmith.eval.outcome import LabelOutcome

LABELS = ("bill", "card", "rare")
TAUGHT = Taught(
    texts=[
        *(f"please send the invoice number {i} again" for i in range(12)),
        *(f"my bank card {i} was stolen yesterday evening" for i in range(12)),
        "a rare request",
    ],
    labels=[*["bill"] * 12, *["card"] * 12, "rare"],
)


def outcome_of(rows: list[tuple[str, str, str]]) -> LabelOutcome:
    """Rows of a text, its label and the one that was given."""
    texts, targets, given = zip(*rows, strict=True)
    predicted = np.array([LABELS.index(label) for label in given])
    return LabelOutcome(
        labels=LABELS, texts=texts, targets=np.array([LABELS.index(label) for label in targets]),
        predicted=predicted, probabilities=np.eye(3)[predicted], rows=np.arange(len(rows)),
    )  # fmt: skip


def test_each_mistake_is_told_once_with_what_its_cause_is_seen_in():
    outcome = outcome_of([
        ("please send the invoice number 3 again!", "card", "bill"),
        ("the card was stolen", "bill", "card"),
        ("send the card again please", "card", "bill"),
        ("quaxle frobnicates zorp", "bill", "card"),
        ("send a request again", "rare", "bill"),
        ("yesterday evening the bank card", "bill", "card"),
        ("please send the invoice", "bill", "bill"),
    ])  # fmt: skip
    # The other model believes that the second row is about a card, and agrees with the data on the rest.
    shares = 0.1 + 0.7 * np.eye(3)[outcome.targets]
    shares[1] = [0.05, 0.9, 0.05]
    found = causes(
        outcome, TAUGHT, second=replace(outcome, probabilities=shares),
        truncated=lambda text: 9 if text.startswith("send the card") else 0,
    )  # fmt: skip
    assert [(cause.kind, cause.rows) for cause in found] == [
        ("near_duplicate", 1), ("label_issue", 1), ("truncated", 1), ("unknown_words", 1), ("rare_label", 1),
        ("unexplained", 1),
    ]  # fmt: skip
    assert sum(cause.share for cause in found) == pytest.approx(1)
    near, label, cut, unknown, rare, _ = (cause.examples[0].evidence for cause in found)
    assert near == "please send the invoice number 3 again (bill)"
    assert (label, cut, unknown, rare) == ("card", "9", "quaxle, frobnicates, zorp", "1")


def test_without_mistakes_or_training_rows_little_is_said():
    assert causes(outcome_of([("a", "bill", "bill")]), TAUGHT) == ()
    (only,) = causes(outcome_of([("quaxle", "bill", "card")]), Taught())
    assert (only.kind, only.rows) == ("unexplained", 1)


def test_a_label_is_doubted_where_cleanlab_doubts_it():
    rng = np.random.default_rng(1)
    truth = rng.integers(4, size=600)
    logits = rng.normal(size=(600, 4)) + 2.5 * np.eye(4)[truth]
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    given = np.where(rng.random(600) < 0.1, rng.integers(4, size=600), truth)
    mine = confident(given, shares) != given
    theirs = find_label_issues(given, shares, filter_by="confident_learning", n_jobs=1)
    assert theirs.sum() > 20
    assert (mine == theirs).all()
