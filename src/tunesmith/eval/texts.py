"""Metrics of texts that need not agree word for word: JSON, repetition, variety and length.

Words are those of ROUGE: runs of letters and digits in lower case, single Chinese characters.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tunesmith.eval.metrics import lower_is_better, neither_is_better, written
from tunesmith.eval.outcome import Outcome
from tunesmith.eval.rouge import words
from tunesmith.eval.sums import Sums, hits, mean, ratio, summed

_REPEATED = 4
_NOTHING = object()


@summed
def json_valid(outcome: Outcome) -> Sums:
    """Share of texts that are JSON (RFC 8259) and nothing else, from 0 to 1.

    Raises:
        DataError: M49 when the outcome has no texts; E03 when it has no rows.
    """
    found = written(outcome, "json_valid")
    return hits([_json(text) is not _NOTHING for text in found.predicted])


@summed
def json_field_f1(outcome: Outcome) -> Sums:
    """F1 over all fields of JSON targets, a field being where a value stands and what it is; from 0 to 1.

    Items of lists are compared without their order. Rows whose target is no JSON are left out; what is
    written and no JSON has no field right.

    Raises:
        DataError: M49 when the outcome has no texts; E03 when it has no rows.
    """
    found = written(outcome, "json_field_f1")
    rows = [_common(given, wanted) for given, wanted in zip(found.predicted, found.targets, strict=True)]
    return ratio([2 * common for common, _ in rows], [there for _, there in rows])


def _common(given: str, wanted: str) -> tuple[int, int]:
    """How many fields are in both, and how many there are on both sides together."""
    target, answer = _json(wanted), _json(given)
    if target is _NOTHING:
        return 0, 0
    there = Counter(_fields(target))
    written_ = Counter(() if answer is _NOTHING else _fields(answer))
    return (there & written_).total(), there.total() + written_.total()


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return _NOTHING


def _refuse(word: str) -> None:
    """NaN and infinities are no JSON, though Python reads them."""
    raise ValueError(word)


def _fields(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Every single value with where it stands; an empty object or list is a value too."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _fields(inner, f"{at}/{key}")
    elif isinstance(value, list) and value:
        for inner in value:
            yield from _fields(inner, f"{at}/-")
    else:
        yield at, json.dumps(value)


@lower_is_better
@summed
def repetition(outcome: Outcome) -> Sums:
    """Share of runs of four words that stand in the same text before, the mean of all texts (Welleck 2020).

    Raises:
        DataError: M49 when the outcome has no texts; E03 when it has no rows.
    """
    found = written(outcome, "repetition")
    runs = [_runs(words(text), _REPEATED) for text in found.predicted]
    return mean([1 - len(set(row)) / len(row) if row else 0.0 for row in runs])


def distinct_1(outcome: Outcome) -> float:
    """Different words by all words of what was written, from 0 to 1 (Li et al. 2016).

    It falls with the number of rows, so that it has no interval and is compared on the same rows only.

    Raises:
        DataError: M49 when the outcome has no texts; E03 when it has no rows.
    """
    return _distinct(outcome, 1, "distinct_1")


def distinct_2(outcome: Outcome) -> float:
    """Different pairs of neighbouring words by all such pairs of what was written, from 0 to 1; as above.

    Raises:
        DataError: M49 when the outcome has no texts; E03 when it has no rows.
    """
    return _distinct(outcome, 2, "distinct_2")


def _distinct(outcome: Outcome, length: int, metric: str) -> float:
    found = written(outcome, metric)
    runs = [run for text in found.predicted for run in _runs(words(text), length)]
    return len(set(runs)) / len(runs) if runs else 0.0


def _runs(row: Sequence[str], length: int) -> list[tuple[str, ...]]:
    return list(zip(*(row[i:] for i in range(length)), strict=False))


@neither_is_better
@summed
def length_ratio(outcome: Outcome) -> Sums:
    """Words written by words of the targets; 1 is as long as these.

    Raises:
        DataError: M49 when the outcome has no texts; E03 when it has no rows.
    """
    found = written(outcome, "length_ratio")
    given, wanted = ([len(words(text)) for text in side] for side in (found.predicted, found.targets))
    return ratio(given, wanted)
