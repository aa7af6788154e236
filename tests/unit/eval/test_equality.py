"""Figures equal those of scikit-learn, sacrebleu and scipy, zh included; draws equal what was drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER
from scipy import stats
from sklearn import metrics as sklearn

from tunesmith.core import components
from tunesmith.eval import metrics, significance
from tunesmith.eval.outcome import LabelOutcome, LabelsOutcome, Outcome, ScoreOutcome, TextOutcome, take
from tunesmith.eval.sums import drawn_of

Sides = tuple[Any, Any, Any]


def one_label(labels: int, rows: int, seed: int, *, coarse: bool = False) -> LabelOutcome:
    """Rows of a model that is right more often than not; `coarse` probabilities are often equal."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(labels, size=rows)
    logits = rng.normal(size=(rows, labels)) + 1.5 * np.eye(labels)[targets]
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    shares = np.round(shares, 1) if coarse else shares
    return LabelOutcome(
        labels=tuple(f"label {i}" for i in range(labels)), texts=[""] * rows, targets=targets,
        predicted=shares.argmax(axis=1), probabilities=shares, rows=np.arange(rows),
    )  # fmt: skip


def several(labels: int, rows: int, seed: int) -> LabelsOutcome:
    rng = np.random.default_rng(seed)
    targets = (rng.random((rows, labels)) < 0.3).astype(np.int8)
    shares = np.clip(targets * 0.3 + rng.random((rows, labels)) * 0.7, 0, 1)
    return LabelsOutcome(
        labels=tuple(map(str, range(labels))), texts=[""] * rows, targets=targets, probabilities=shares,
        rows=range(rows),
    )  # fmt: skip


CLASSES = {"two": one_label(2, 80, 1), "five": one_label(5, 120, 2), "twelve": one_label(12, 60, 3),
           "coarse": one_label(4, 90, 4, coarse=True)}  # fmt: skip
LABELS = {"dense": several(4, 60, 5), "sparse": several(9, 25, 6)}


def _areas(measure: Callable[..., Any]) -> Callable[[Any, Any, Any], float]:
    """The mean over the labels that some rows have and some have not."""

    def mean(targets: Any, _: Any, shares: Any) -> float:
        flags = np.eye(shares.shape[1], dtype=int)[targets] if targets.ndim == 1 else targets
        known = [i for i in range(flags.shape[1]) if 0 < flags[:, i].sum() < len(flags)]
        return float(np.mean([measure(flags[:, i], shares[:, i]) for i in known]))

    return mean


def _top(count: int) -> Callable[[Any, Any, Any], float]:
    return lambda t, p, s: sklearn.top_k_accuracy_score(t, s, k=count, labels=range(s.shape[1]))


SINGLE: dict[str, Callable[[Any, Any, Any], float]] = {
    "balanced_accuracy": lambda t, p, s: sklearn.balanced_accuracy_score(t, p),
    "weighted_f1": lambda t, p, s: sklearn.f1_score(t, p, average="weighted", zero_division=0),
    "micro_f1": lambda t, p, s: sklearn.f1_score(t, p, average="micro"),
    "mcc": lambda t, p, s: sklearn.matthews_corrcoef(t, p),
    "roc_auc": _areas(sklearn.roc_auc_score),
    "pr_auc": _areas(sklearn.average_precision_score),
}
MANY: dict[str, Callable[[Any, Any, Any], float]] = {
    "jaccard": lambda t, p, s: sklearn.jaccard_score(t, p, average="samples", zero_division=1),
    "subset_accuracy": lambda t, p, s: sklearn.accuracy_score(t, p),
    "micro_f1": lambda t, p, s: sklearn.f1_score(t, p, average="micro"),
    "macro_f1": lambda t, p, s: sklearn.f1_score(t, p, average="macro", zero_division=0),
    "weighted_f1": lambda t, p, s: sklearn.f1_score(t, p, average="weighted", zero_division=0),
    "roc_auc": _areas(sklearn.roc_auc_score),
    "pr_auc": _areas(sklearn.average_precision_score),
}


@pytest.mark.parametrize("fixture", CLASSES)
@pytest.mark.parametrize("name", SINGLE)
def test_figures_of_one_label_equal_scikit_learn(name: str, fixture: str) -> None:
    outcome = CLASSES[fixture]
    wanted = SINGLE[name](outcome.targets, outcome.predicted, outcome.probabilities)
    assert metrics.measure([name], outcome)[name] == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("fixture", ["five", "twelve", "coarse"])
def test_the_likeliest_labels_and_losses_equal_scikit_learn(fixture: str) -> None:
    outcome = CLASSES[fixture]
    sides = (outcome.targets, outcome.predicted, outcome.probabilities)
    assert metrics.measure(["top_3_accuracy"], outcome)["top_3_accuracy"] == _top(3)(*sides)
    if fixture != "coarse":
        shares = outcome.probabilities
        wanted = sklearn.log_loss(outcome.targets, shares, labels=range(shares.shape[1]))
        assert metrics.measure(["log_loss"], outcome)["log_loss"] == pytest.approx(wanted)
        assert metrics.measure(["top_5_accuracy"], CLASSES["twelve"])["top_5_accuracy"] == _top(5)(
            CLASSES["twelve"].targets, None, CLASSES["twelve"].probabilities
        )


@pytest.mark.parametrize("fixture", LABELS)
@pytest.mark.parametrize("name", MANY)
def test_figures_of_several_labels_equal_scikit_learn(name: str, fixture: str) -> None:
    outcome = LABELS[fixture]
    wanted = MANY[name](outcome.targets, outcome.predicted, outcome.probabilities)
    assert metrics.measure([name], outcome)[name] == pytest.approx(wanted, abs=1e-12)


TEXTS = {
    "en": (["The cat sat on the mat.", "It rains in Leeds today."],
           ["On the mat sat the cat.", "Today it rains in York."]),
    "zh": (["今天的天气非常好。", "我们明天去北京参加会议。"], ["今天天气很好。", "明天我们到北京开会。"]),
}  # fmt: skip


@pytest.mark.parametrize("lang", TEXTS)
def test_figures_of_texts_equal_sacrebleu(lang: str) -> None:
    wanted, given = TEXTS[lang]
    outcome = TextOutcome(sources=wanted, targets=wanted, predicted=given, rows=range(2))
    is_zh = lang == "zh"
    theirs: dict[str, Any] = {
        "bleu": BLEU(tokenize="zh" if is_zh else "13a"), "chrf": CHRF(),
        "ter": TER(normalized=is_zh, asian_support=is_zh),
    }  # fmt: skip
    found = metrics.measure(theirs, outcome)
    assert found == {name: pytest.approx(m.corpus_score(given, [wanted]).score) for name, m in theirs.items()}
    assert found["ter"] < 100


@pytest.mark.parametrize("noise", [0.1, 1.0, 5.0])
def test_figures_of_numbers_equal_scikit_learn_and_scipy(noise: float) -> None:
    rng = np.random.default_rng(7)
    targets = 1e4 + rng.normal(size=50)
    predicted = targets + noise * rng.normal(size=50)
    outcome = ScoreOutcome(texts=[""] * 50, targets=targets, predicted=predicted, rows=range(50))
    wanted = {
        "r2": sklearn.r2_score(targets, predicted),
        "rmse": sklearn.root_mean_squared_error(targets, predicted),
        "mae": sklearn.mean_absolute_error(targets, predicted),
        "pearson": stats.pearsonr(targets, predicted).statistic,
        "spearman": stats.spearmanr(targets, predicted).statistic,
    }
    assert metrics.measure(wanted, outcome) == {name: pytest.approx(value) for name, value in wanted.items()}


DRAWN: list[tuple[str, Outcome]] = [
    *((name, CLASSES["coarse"]) for name in (*SINGLE, "log_loss", "top_3_accuracy")),
    *((name, LABELS["dense"]) for name in MANY),
    *((name, ScoreOutcome(texts=[""] * 9, targets=np.arange(9.0), predicted=np.arange(9.0) ** 1.1,
                          rows=range(9))) for name in ("r2", "rmse")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "outcome"), DRAWN)
def test_drawn_rows_are_measured_as_those_rows(name: str, outcome: Outcome) -> None:
    drawn = np.random.default_rng(1).integers(len(outcome.rows), size=(3, len(outcome.rows)))
    counts = np.array([np.bincount(row, minlength=len(outcome.rows)) for row in drawn], dtype=float)
    sums = metrics.figures([name], outcome).sums.get(name)
    again = drawn_of(components.metrics.get(name))
    found = sums.total(counts @ sums.rows) if sums else again and again(outcome)(counts)
    wanted = [metrics.measure([name], take(outcome, row))[name] for row in drawn]
    np.testing.assert_allclose(found, wanted, rtol=1e-9)  # type: ignore[arg-type]


def test_areas_have_intervals_and_are_compared_with_those_of_another_model() -> None:
    mine = CLASSES["five"]
    other = mine.answered(np.full_like(mine.probabilities, 0.2))
    names = ["roc_auc", "pr_auc"]
    found = significance.intervals(metrics.figures(names, mine))
    assert all(each.low < metrics.measure(names, mine)[name] < each.high for name, each in found.items())
    pairs = significance.paired(metrics.figures(names, mine), metrics.figures(names, other))
    assert pairs.keys() == {"roc_auc", "pr_auc"}
    assert all(each.p < 0.01 for each in significance.differences("other", pairs))
