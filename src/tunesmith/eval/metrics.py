"""Metrics: functions from an outcome to a number, equal to those of scikit-learn and sacrebleu.

A metric of your own takes an outcome and gives a number, is named in a recipe as `module:function`, and is
better when higher unless it is marked by `lower_is_better`. One that gives its `Sums` and is marked `summed`
has an interval and is tested beside others as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tunesmith.core import components
from tunesmith.core.errors import DataError, TunesmithError
from tunesmith.eval.outcome import LabelOutcome, LabelsOutcome, Outcome, TextOutcome, TokenOutcome
from tunesmith.eval.sums import Sums, divided, hits, mean, ratio, summed, sums_of

Metric = Callable[[Outcome], float]
Direction = Literal["higher", "lower", "neither"]
_MARK = "direction"


def lower_is_better(metric: Metric) -> Metric:
    """Mark a metric whose smaller values are better."""
    setattr(metric, _MARK, "lower")
    return metric


def neither_is_better(metric: Metric) -> Metric:
    """Mark a metric that describes and does not judge."""
    setattr(metric, _MARK, "neither")
    return metric


@summed
def accuracy(outcome: Outcome) -> Sums:
    """Share of rows whose predicted label is right, from 0 to 1.

    Raises:
        DataError: E01 when the outcome has no labels; E03 when it has no rows.
    """
    found = labelled(outcome, "accuracy")
    return hits(found.targets == found.predicted)


@summed
def macro_f1(outcome: Outcome) -> Sums:
    """Mean of the F1 of every label that is a target or was predicted, from 0 to 1.

    Raises:
        DataError: E01 when the outcome has no labels; E03 when it has no rows.
    """
    targets, predicted = flags(outcome, "macro_f1")
    labels = targets.shape[1]

    def total(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        right, both = sums[..., :labels], sums[..., labels:]
        return divided((2 * divided(right, both)).sum(axis=-1), (both > 0).sum(axis=-1))

    return Sums(np.hstack([targets & predicted, targets + predicted]).astype(np.float64), total)


@summed
def micro_f1(outcome: Outcome) -> Sums:
    """F1 over all pairs of a row and a label, from 0 to 1; the accuracy where each row has one label.

    Raises:
        DataError: E01 when the outcome has no labels; E03 when it has no rows.
    """
    targets, predicted = flags(outcome, "micro_f1")
    return ratio(2 * (targets & predicted).sum(axis=1), (targets + predicted).sum(axis=1))


@summed
def subset_accuracy(outcome: Outcome) -> Sums:
    """Share of rows whose labels are all right, none missing and none too many, from 0 to 1.

    Raises:
        DataError: E01 when the outcome has no labels; E03 when it has no rows.
    """
    targets, predicted = flags(outcome, "subset_accuracy")
    return hits((targets == predicted).all(axis=1))


def flags(outcome: Outcome, metric: str) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Targets and predictions [rows, labels] as 0 and 1, of one label for each row or of several.

    Raises:
        DataError: E01 when the outcome has no labels; E03 when it has no rows.
    """
    if not isinstance(outcome, LabelsOutcome):
        found = labelled(outcome, metric)
        own = np.eye(len(found.labels), dtype=np.int8)
        return own[found.targets], own[found.predicted]
    if not len(outcome.targets):
        raise DataError("E03", metric=metric)
    return outcome.targets, outcome.predicted


@lower_is_better
@summed
def perplexity(outcome: Outcome) -> Sums:
    """The exponential of the mean negative log-likelihood per token; 1 is a model that foresees everything.

    Raises:
        DataError: E02 when the outcome has no token likelihoods; E03 when it has no tokens.
    """
    found = _foreseen(outcome, "perplexity")
    return Sums(np.column_stack([found.nll, found.tokens]).astype(np.float64), _surprise)


@lower_is_better
@summed
def nll_per_row(outcome: Outcome) -> Sums:
    """The mean negative log-likelihood of a row in nats: it compares models whose tokens differ.

    Raises:
        DataError: E02 when the outcome has no token likelihoods; E03 when it has no tokens.
    """
    found = _foreseen(outcome, "nll_per_row")
    return mean(found.nll)


def _foreseen(outcome: Outcome, metric: str) -> TokenOutcome:
    if not isinstance(outcome, TokenOutcome):
        raise DataError("E02", metric=metric)
    if not outcome.tokens.sum():
        raise DataError("E03", metric=metric)
    return outcome


def _surprise(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(divided(sums[..., 0], sums[..., 1])))


@summed
def masked_accuracy(outcome: Outcome) -> Sums:
    """Share of the hidden tokens that the model finds likelier than any other, from 0 to 1.

    Raises:
        DataError: T25 when no such tokens were counted; E03 when there are none.
    """
    if not isinstance(outcome, TokenOutcome) or outcome.right is None:
        raise DataError("T25", metric="masked_accuracy")
    if not outcome.tokens.sum():
        raise DataError("E03", metric="masked_accuracy")
    return ratio(outcome.right, outcome.tokens)


@summed
def bleu(outcome: Outcome) -> Sums:
    """BLEU of the whole part, from 0 to 100, as sacrebleu computes it (Papineni et al. 2002; Post 2018).

    Where most letters of the targets are Chinese, words are told apart by its `zh` tokenizer, else by `13a`.

    Raises:
        DataError: M49 when the outcome has no texts; E03 when it has no rows.
    """
    from sacrebleu.metrics.bleu import BLEU

    found = written(outcome, "bleu")
    tokenizer = "zh" if _are_chinese(found.targets) else "13a"
    return _corpus(BLEU(tokenize=tokenizer, force=True), found)


@lower_is_better
@summed
def ter(outcome: Outcome) -> Sums:
    """Edits that make the targets of what was written, of a hundred words, as sacrebleu counts (Snover 2006).

    Shifts of runs of words are one edit. Where most letters of the targets are Chinese, words are characters.

    Raises:
        DataError: M49 when the outcome has no texts; E03 when it has no rows.
    """
    from sacrebleu.metrics.ter import TER

    found = written(outcome, "ter")
    is_chinese = _are_chinese(found.targets)
    return _corpus(TER(normalized=is_chinese, asian_support=is_chinese), found)


@summed
def chrf(outcome: Outcome) -> Sums:
    """F-score of runs of characters, from 0 to 100, as sacrebleu computes it (Popovic 2015).

    Raises:
        DataError: M49 when the outcome has no texts; E03 when it has no rows.
    """
    from sacrebleu.metrics.chrf import CHRF

    found = written(outcome, "chrf")
    return _corpus(CHRF(), found)


def _corpus(metric: Any, outcome: TextOutcome) -> Sums:
    """A metric of sacrebleu: it has no public way to its counts for each row, which its own test uses too."""
    rows = metric._extract_corpus_statistics(outcome.predicted, [outcome.targets])

    def total(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        each = sums.reshape(-1, sums.shape[-1]).round().astype(int)
        scores = [float(metric._compute_score_from_stats(list(one)).score) for one in each]
        return np.array(scores).reshape(sums.shape[:-1])

    return Sums(np.array(rows, dtype=np.float64), total)


def written(outcome: Outcome, metric: str) -> TextOutcome:
    """The outcome, if it is one of texts and has rows.

    Raises:
        DataError: M49 when it has no texts; E03 when it has no rows.
    """
    if not isinstance(outcome, TextOutcome):
        raise DataError("M49", metric=metric)
    if not outcome.targets:
        raise DataError("E03", metric=metric)
    return outcome


def _are_chinese(texts: Iterable[str]) -> bool:
    """Whether most letters are Chinese characters."""
    letters = [character for text in texts for character in text if character.isalpha()]
    return sum("㐀" <= character <= "鿿" for character in letters) * 2 > len(letters)


def labelled(outcome: Outcome, metric: str) -> LabelOutcome:
    """The outcome, if it is one of labels and has rows.

    Raises:
        DataError: E01 when it has no labels; E03 when it has no rows.
    """
    if not isinstance(outcome, LabelOutcome):
        raise DataError("E01", metric=metric)
    if len(outcome.targets) == 0:
        raise DataError("E03", metric=metric)
    return outcome


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Figures:
    """The `scores` of an outcome, and the `sums` of those metrics that are functions of sums."""

    outcome: Outcome
    scores: Mapping[str, float]
    sums: Mapping[str, Sums]


def measure(names: Iterable[str], outcome: Outcome) -> dict[str, float]:
    """The value of each named metric, as `figures` has them."""
    return dict(figures(names, outcome).scores)


def figures(names: Iterable[str], outcome: Outcome) -> Figures:
    """The named metrics of an outcome.

    Raises:
        RecipeError: R06 or R07 when there is no such metric.
        DataError: E01-E03 or M49 when it does not fit the outcome; E04 when a metric of the user's own fails.
    """
    found = {name: _measured(name, outcome) for name in names}
    return Figures(
        outcome=outcome,
        scores={name: each.value if isinstance(each, Sums) else each for name, each in found.items()},
        sums={name: each for name, each in found.items() if isinstance(each, Sums)},
    )


def _measured(name: str, outcome: Outcome) -> float | Sums:
    metric = components.metrics.get(name)
    sums = sums_of(metric)
    if isinstance(outcome, LabelOutcome | LabelsOutcome) and not np.isfinite(outcome.probabilities).all():
        return math.nan  # the likeliest of them would be the first label
    try:
        return sums(outcome) if sums else float(metric(outcome))
    except TunesmithError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise DataError("E04", metric=name, reason=reason) from error


def direction(name: str) -> Direction:
    """Whether `higher` or `lower` values of a metric are better, or `neither`.

    Raises:
        RecipeError: R06 or R07 when there is no such metric.
    """
    found: Direction = getattr(components.metrics.get(name), _MARK, "higher")
    return found
