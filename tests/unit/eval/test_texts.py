"""Written texts: whether they are JSON and have the right fields, repeat themselves, vary, are too long."""

from __future__ import annotations

import pytest

from tunesmith.eval import metrics, significance
from tunesmith.eval.outcome import TextOutcome


def wrote(targets: list[str], predicted: list[str]) -> TextOutcome:
    return TextOutcome(sources=targets, targets=targets, predicted=predicted, rows=range(len(targets)))


def measured(name: str, targets: list[str], predicted: list[str]) -> float:
    return metrics.measure([name], wrote(targets, predicted))[name]


def test_json_is_json_and_nothing_else() -> None:
    texts = ['{"a": 1}', "[1, 2]", "{'a': 1}", '```json\n{"a": 1}\n```', '{"a": NaN}', "[" * 100_000]
    assert measured("json_valid", [""] * 6, texts) == pytest.approx(2 / 6)


@pytest.mark.parametrize(
    ("target", "given", "f1"),
    [
        ('{"name": "王芳", "age": 30}', '{"age": 30, "name": "王芳"}', 1),
        ('{"name": "王芳", "age": 30}', '{"name": "王芳", "age": "30"}', 0.5),
        ('{"to": {"city": "Leeds"}}', '{"city": "Leeds"}', 0),
        ('{"tags": ["a", "b"]}', '{"tags": ["b", "a"]}', 1),
        ('{"tags": ["a", "b"]}', '{"tags": ["b"]}', 2 / 3),
        ('{"a": 1}', "not JSON", 0),
        ('{"a": 1, "b": 2}', '{"a": 1, "b": 2, "c": 3, "d": 4}', 2 / 3),
    ],
)
def test_fields_count_by_place_and_value(target: str, given: str, f1: float) -> None:
    assert measured("json_field_f1", [target, "no JSON"], [given, "{}"]) == pytest.approx(f1)


def test_a_text_that_goes_in_circles_repeats_itself() -> None:
    round_, straight = "and so it goes " * 10, "the quick brown fox jumps over the lazy dog"
    assert measured("repetition", ["", ""], [straight, ""]) == 0
    assert measured("repetition", [""], [round_]) > 0.8
    assert measured("repetition", [""], ["天气很好" * 10]) > 0.8


def test_the_same_answer_again_is_no_variety() -> None:
    assert measured("distinct_2", [""] * 4, ["as you like it"] * 4) == pytest.approx(3 / 12)
    assert measured("distinct_1", [""] * 2, ["好的", "好吧"]) == pytest.approx(3 / 4)


def test_length_is_told_and_not_judged() -> None:
    assert measured("length_ratio", ["one two three four"], ["one two"]) == 0.5
    assert metrics.direction("length_ratio") == "neither"
    assert metrics.direction("repetition") == "lower"


def test_texts_are_held_to_the_data_but_for_case_and_punctuation() -> None:
    assert measured("exact_match", ["The answer: 42!", "no"], ["answer 42", "yes"]) == 0.5
    assert measured("exact_match", ["北京。"], ["北京"]) == 1


def test_what_can_be_drawn_has_an_interval() -> None:
    names = ["json_valid", "json_field_f1", "repetition", "distinct_2", "length_ratio", "ter"]
    outcome = wrote(['{"a": 1}', '{"b": 2}'], ['{"a": 1}', '{"b": 3}'])
    assert significance.intervals(metrics.figures(names, outcome)).keys() == {*names} - {"distinct_2"}
