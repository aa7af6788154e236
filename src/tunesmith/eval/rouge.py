"""ROUGE (Lin 2004): how much of a summary's words is in the target's and the other way round, as an F1.

Words are runs of ASCII letters and digits in lower case, as in Google's rouge-score, whose figures for
English text these are; and, which it leaves out, single Chinese characters, as is usual for Chinese
summaries, and runs of other letters. There is no stemming.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from tunesmith.eval.metrics import written
from tunesmith.eval.outcome import Outcome
from tunesmith.eval.sums import Sums, mean, summed

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORDS = re.compile(rf"[a-z0-9]+|[{_HAN}]|[^\W\d_a-z{_HAN}]+")


@summed
def rouge_1(outcome: Outcome) -> Sums:
    """The mean F1 of common words, from 0 to 100.

    Raises:
        DataError: M49 when the outcome has no texts; E03 when it has no rows.
    """
    return _mean(outcome, "rouge_1", lambda found, wanted: _ngrams(found, wanted, 1))


@summed
def rouge_2(outcome: Outcome) -> Sums:
    """The mean F1 of common pairs of neighbouring words, from 0 to 100.

    Raises:
        DataError: M49 when the outcome has no texts; E03 when it has no rows.
    """
    return _mean(outcome, "rouge_2", lambda found, wanted: _ngrams(found, wanted, 2))


@summed
def rouge_l(outcome: Outcome) -> Sums:
    """The mean F1 of the longest common subsequence of words, from 0 to 100.

    Raises:
        DataError: M49 when the outcome has no texts; E03 when it has no rows.
    """
    return _mean(outcome, "rouge_l", _subsequence)


def words(text: str) -> list[str]:
    """What is counted of a text."""
    return _WORDS.findall(text.lower())


Score = Callable[[Sequence[str], Sequence[str]], float]


def _mean(outcome: Outcome, metric: str, score: Score) -> Sums:
    found = written(outcome, metric)
    pairs = zip(found.predicted, found.targets, strict=True)
    return mean([score(words(predicted), words(target)) for predicted, target in pairs], scale=100)


def _ngrams(found: Sequence[str], wanted: Sequence[str], n: int) -> float:
    mine, theirs = (Counter(zip(*(row[i:] for i in range(n)), strict=False)) for row in (found, wanted))
    return _f1((mine & theirs).total(), mine.total(), theirs.total())


def _subsequence(found: Sequence[str], wanted: Sequence[str]) -> float:
    return _f1(_common(found, wanted), len(found), len(wanted))


def _common(first: Sequence[str], second: Sequence[str]) -> int:
    """The length of the longest common subsequence; a row of the table of lengths at a time.

    A row never falls and grows by at most one a step, so that the cells before and the greatest so far are
    all that a running maximum needs.
    """
    numbers = {word: number for number, word in enumerate(dict.fromkeys([*first, *second]))}
    across = np.array([numbers[word] for word in second], dtype=np.int64)
    row = np.zeros(len(second) + 1, dtype=np.int64)
    for word in first:
        row[1:] = np.maximum(row[1:], row[:-1] + (across == numbers[word]))
        np.maximum.accumulate(row, out=row)
    return int(row[-1])


def _f1(common: int, found: int, wanted: int) -> float:
    return 2 * common / (found + wanted) if common else 0.0
