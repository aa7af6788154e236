from __future__ import annotations

import pytest

from tunesmith.eval.suites import extraction
from tunesmith.eval.suites.extraction import extracted, option, same
from tunesmith.eval.suites.prompts import fill, unlettered

GSM8K = (r"####\s*(-?[\d,]*\.?\d+)", r"(-?[\d,]*\.?\d+)")


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ("B", 1), ("(C) because it is so", 2), ("The answer is (D).", 3), ("A, since B is wrong", 0),
        ("答案是B。", 1), ("首先排除 A 和 C，因此答案为：D", 3), ("故选：C", 2), ("**B**", 1),
        ("Option A is wrong. The answer is C", 2), ("A dog is what it must be", 2), ("I do not know", None),
        ("The answer is B. Option A is wrong because it is big", 1), ("**B**. Option C would be wrong", 1),
        ("B\n\nWhereas choice A is wrong", 1), ("不知道", None), ("黄色", 3), ("Do not choose", None),
    ],
)  # fmt: skip
def test_the_option_that_an_answer_names(answer, named):
    assert option(answer, "ABCD", ["red", "blue", "dog", "黄色"]) == named


@pytest.mark.parametrize(
    ("text", "found"), [("so 3 + 4 = 7\n#### 1,007", "1,007"), ("it is 12 or 13", "13"), ("none", None)]
)
def test_the_first_pattern_that_is_found_counts_at_its_last_place(text, found):
    assert extracted(text, GSM8K) == found


def test_a_pattern_that_never_ends_finds_nothing(monkeypatch):
    monkeypatch.setattr(extraction, "_SECONDS", 0.1)
    assert extracted("a" * 60 + "!", ["(a|aa)+$"]) is None


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [("1,007", "1007.0", True), ("$5", "5", True), ("5", "6", False), (None, "5", False)],
)  # fmt: skip
def test_numbers_are_compared_as_numbers(one, other, equal):
    assert same(one, other, as_numbers=True) is equal


def test_a_line_without_anything_in_it_is_left_out():
    row = {"passage": None, "question": "why?", "options": ["(A)so", " B. 因为", "A dog"]}
    assert fill("{passage}\nQ: {question}\n{options}\n{{x}}", row) == "Q: why?\nA. so\nB. 因为\nC. A dog\n{x}"
    assert unlettered(["(A)x", "（B）y", "C dog"]) == ["x", "y", "C dog"]


def test_i_is_a_pronoun_unless_it_ends():
    texts = [str(number) for number in range(9)]
    assert option("It is B as far as I know", "ABCDEFGHI", texts) == 1
    assert option("It must be I.", "ABCDEFGHI", texts) == 8
