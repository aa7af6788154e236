"""Metrics: functions from an outcome to a number, equal to those of scikit-learn and sacrebleu.

A metric of your own has the same signature, is named in a recipe as `module:function`, and is better when
higher unless it is marked by `lower_is_better`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal

from tunesmith.core import components
from tunesmith.core.errors import DataError, TunesmithError
from tunesmith.eval.outcome import LabelOutcome, LabelsOutcome, Outcome, TextOutcome, TokenOutcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

Metric = Callable[[Outcome], float]
Direction = Literal["higher", "lower"]
_MARK = "lower_is_better"


def lower_is_better(metric: Metric) -> Metric:
    """Mark a metric whose smaller values are better."""
    setattr(metric, _MARK, True)
    return metric


def accuracy(outcome: Outcome) -> float:
    """Share of rows whose predicted label is right, from 0 to 1.

    Raises:
        DataError: E01 when the outcome has no labels; E03 when it has no rows.
    """
    from sklearn.metrics import accuracy_score

    found = labelled(outcome, "accuracy")
    return float(accuracy_score(found.targets, found.predicted))


def macro_f1(outcome: Outcome) -> float:
    """Mean of the F1 of every label that is a target or was predicted, from 0 to 1.

    Raises:
        DataError: E01 when the outcome has no labels; E03 when it has no rows.
    """
    from sklearn.metrics import f1_score

    targets, predicted = _either(outcome, "macro_f1")
    return float(f1_score(targets, predicted, average="macro", zero_division=0.0))


def micro_f1(outcome: Outcome) -> float:
    """F1 over all pairs of a row and a label, from 0 to 1; the accuracy where each row has one label.

    Raises:
        DataError: E01 when the outcome has no labels; E03 when it has no rows.
    """
    from sklearn.metrics import f1_score

    targets, predicted = _either(outcome, "micro_f1")
    return float(f1_score(targets, predicted, average="micro", zero_division=0.0))


def subset_accuracy(outcome: Outcome) -> float:
    """Share of rows whose labels are all right, none missing and none too many, from 0 to 1.

    Raises:
        DataError: E01 when the outcome has no labels; E03 when it has no rows.
    """
    targets, predicted = _either(outcome, "subset_accuracy")
    return float((targets == predicted).reshape(len(targets), -1).all(axis=1).mean())


def _either(outcome: Outcome, metric: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Targets and predictions, of one label for each row or of several."""
    if not isinstance(outcome, LabelsOutcome):
        found = labelled(outcome, metric)
        return found.targets, found.predicted
    if not len(outcome.targets):
        raise DataError("E03", metric=metric)
    # Labels that nobody has and nobody predicted say nothing.
    used = (outcome.targets + outcome.predicted).any(axis=0)
    return outcome.targets[:, used], outcome.predicted[:, used]


@lower_is_better
def perplexity(outcome: Outcome) -> float:
    """The exponential of the mean negative log-likelihood per token; 1 is a model that foresees everything.

    Raises:
        DataError: E02 when the outcome has no token likelihoods; E03 when it has no tokens.
    """
    if not isinstance(outcome, TokenOutcome):
        raise DataError("E02", metric="perplexity")
    if outcome.tokens == 0:
        raise DataError("E03", metric="perplexity")
    try:
        return math.exp(outcome.nll / outcome.tokens)
    except OverflowError:
        return math.inf


def masked_accuracy(outcome: Outcome) -> float:
    """Share of the hidden tokens that the model finds likelier than any other, from 0 to 1.

    Raises:
        DataError: T25 when no such tokens were counted; E03 when there are none.
    """
    if not isinstance(outcome, TokenOutcome) or outcome.right is None:
        raise DataError("T25", metric="masked_accuracy")
    if outcome.tokens == 0:
        raise DataError("E03", metric="masked_accuracy")
    return outcome.right / outcome.tokens


def bleu(outcome: Outcome) -> float:
    """BLEU of the whole part, from 0 to 100, as sacrebleu computes it (Papineni et al. 2002; Post 2018).

    Where most letters of the targets are Chinese, words are told apart by its `zh` tokenizer, else by `13a`.

    Raises:
        DataError: M49 when the outcome has no texts; E03 when it has no rows.
    """
    from sacrebleu.metrics.bleu import BLEU

    found = written(outcome, "bleu")
    tokenizer = "zh" if _are_chinese(found.targets) else "13a"
    return float(BLEU(tokenize=tokenizer).corpus_score(found.predicted, [found.targets]).score)


def chrf(outcome: Outcome) -> float:
    """F-score of runs of characters, from 0 to 100, as sacrebleu computes it (Popovic 2015).

    Raises:
        DataError: M49 when the outcome has no texts; E03 when it has no rows.
    """
    from sacrebleu.metrics.chrf import CHRF

    found = written(outcome, "chrf")
    return float(CHRF().corpus_score(found.predicted, [found.targets]).score)


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


def measure(names: Iterable[str], outcome: Outcome) -> dict[str, float]:
    """The value of each named metric.

    Raises:
        RecipeError: R06 or R07 when there is no such metric.
        DataError: E01-E03 or M49 when it does not fit the outcome; E04 when a metric of the user's own fails.
    """
    return {name: _value(name, outcome) for name in names}


def _value(name: str, outcome: Outcome) -> float:
    metric = components.metrics.get(name)
    try:
        return float(metric(outcome))
    except TunesmithError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise DataError("E04", metric=name, reason=reason) from error


def direction(name: str) -> Direction:
    """Whether `higher` or `lower` values of a metric are better.

    Raises:
        RecipeError: R06 or R07 when there is no such metric.
    """
    return "lower" if getattr(components.metrics.get(name), _MARK, False) else "higher"
