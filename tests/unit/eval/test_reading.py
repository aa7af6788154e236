"""Metrics of answers, as the scripts of SQuAD and CMRC 2018 give them, and the sentence to beat."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tunesmith.core.errors import DataError
from tunesmith.eval import reading
from tunesmith.eval.outcome import AnswerOutcome, Outcome, TokenOutcome


def _outcome(given: str, *wanted: str, question: str = "Where?", context: str = "") -> AnswerOutcome:
    return AnswerOutcome(
        questions=[question], contexts=[context], targets=[wanted], predicted=[given], rows=[0]
    )


@pytest.mark.parametrize(
    ("given", "wanted", "exact", "f1"),
    [
        ("the Denver Broncos!", ("Denver Broncos",), 1, 1),
        ("Broncos", ("Denver Broncos", "Carolina"), 0, 2 / 3),
        ("in Denver in", ("in Denver",), 0, 0.8),
        ("", (), 1, 1),
        ("Denver", (), 0, 0),
        ("", ("Denver",), 0, 0),
    ],
)
def test_english_answers_are_words(given: str, wanted: tuple[str, ...], exact: float, f1: float) -> None:
    outcome = _outcome(given, *wanted)
    assert reading.exact_match(outcome) == exact
    assert reading.answer_f1(outcome) == pytest.approx(f1)


@pytest.mark.parametrize(
    ("given", "wanted", "exact", "f1"),
    [
        ("光荣和ω-force", ("光荣和ω-force。",), 1, 1),
        ("《光荣》", ("光荣",), 1, 1),
        ("光荣公司", ("光荣", "公司开发"), 0, 2 / 3),
        ("荣光", ("光荣",), 0, 0.5),
        ("1998年5月", ("1998年",), 0, 2 * 2 / (4 + 2)),
    ],
)
def test_chinese_answers_are_runs_of_characters(
    given: str, wanted: tuple[str, ...], exact: float, f1: float
) -> None:
    outcome = _outcome(given, *wanted, question="由谁开发？")
    assert reading.exact_match(outcome) == exact
    assert reading.answer_f1(outcome) == pytest.approx(f1)


def test_the_sentence_that_is_most_like_the_question_is_the_one_to_beat() -> None:
    context = "It rained. Ada lives in Paris! Bob left."
    found = reading.nearest_sentence(
        [], [], _outcome("", "Paris", question="Where lives Ada?", context=context)
    )
    assert found.predicted == ["Ada lives in Paris!"]
    assert reading.answer_f1(found) == pytest.approx(0.4)


def test_examples_show_question_answer_and_what_is_right() -> None:
    assert reading.examples(_outcome("", "a", "b")) == [
        {"prompt": "Where?", "answer": "-", "expected": "a / b"}
    ]


@pytest.mark.parametrize("metric", [reading.exact_match, reading.answer_f1])
def test_what_has_no_answers_cannot_be_measured(metric: Callable[[Outcome], float]) -> None:
    with pytest.raises(DataError, match="T22"):
        metric(TokenOutcome(nll=np.ones(1), tokens=np.ones(1, int), rows=[0]))
    empty = AnswerOutcome(questions=[], contexts=[], targets=[], predicted=[], rows=[])
    with pytest.raises(DataError, match="E03"):
        metric(empty)
