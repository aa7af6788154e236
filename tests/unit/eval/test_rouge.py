"""ROUGE is that of Google's rouge-score for English, and counts characters for Chinese."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.core.errors import DataError
from tunesmith.eval import baselines, metrics
from tunesmith.eval.outcome import TextOutcome, TokenOutcome

NAMES = ("rouge_1", "rouge_2", "rouge_l")


def outcome(predicted: str, target: str, source: str = "") -> TextOutcome:
    return TextOutcome(sources=[source], targets=[target], predicted=[predicted], rows=[0])


# The figures are those of rouge-score 0.1.2 without stemming.
@pytest.mark.parametrize(
    ("predicted", "target", "expected"),
    [
        (
            "A quick fox jumped over lazy dogs and the dog",
            "The quick brown fox jumps over the lazy dog.",
            (63.1578947368421, 0.0, 52.63157894736842),
        ),
        (
            "We do not know why it is 3.5x faster",
            "It's 3.5 times faster: we don't know why!",
            (57.14285714285713, 10.526315789473685, 28.571428571428564),
        ),
    ],
)
def test_english_is_scored_as_by_rouge_score(
    predicted: str, target: str, expected: tuple[float, ...]
) -> None:
    found = metrics.measure(NAMES, outcome(predicted, target))
    assert tuple(found.values()) == pytest.approx(expected)


def test_chinese_is_counted_by_characters_and_words_of_other_scripts_are_whole() -> None:
    # 研究 and BERT are common: three words of five and of four.
    found = metrics.measure(NAMES, outcome("研究BERT方法", "BERT的研究"))
    assert found["rouge_1"] == pytest.approx(100 * 2 * 3 / (5 + 4))
    assert found["rouge_l"] == pytest.approx(100 * 2 * 2 / (5 + 4))
    assert metrics.measure(["rouge_1"], outcome("Привет café", "привет café"))["rouge_1"] == 100


def test_nothing_written_scores_nothing_and_only_texts_can_be_scored() -> None:
    assert set(metrics.measure(NAMES, outcome("", "The end.")).values()) == {0.0}
    with pytest.raises(DataError, match="M49"):
        metrics.measure(["rouge_l"], TokenOutcome(nll=np.ones(1), tokens=np.ones(1, int), rows=[0]))


@pytest.mark.parametrize(
    ("source", "first"),
    [
        ("It costs 3.5 dollars. Who pays?", "It costs 3.5 dollars."),
        ("目的 观察疗效。方法 分两组。", "目的 观察疗效。"),
        ("no end at all", "no end at all"),
        ("a line\nand another.", "a line"),
    ],
)
def test_the_lead_is_the_first_sentence(source: str, first: str) -> None:
    found = baselines.run(["lead"], [], [], outcome("", "", source))
    assert list(found["lead"].predicted) == [first]
