"""Metrics of entities, against published figures, and the dictionary that a model must beat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tunesmith.core.errors import DataError
from tunesmith.data.layouts import tags
from tunesmith.eval import entities
from tunesmith.eval.outcome import Entity, EntityOutcome, Outcome, TokenOutcome

# The example of seqeval's documentation: F1 0.50, accuracy 0.80.
WANTED = ["O O O B-MISC I-MISC I-MISC O", "B-PER I-PER O"]
GIVEN = ["O O B-MISC I-MISC I-MISC I-MISC O", "B-PER I-PER O"]


def _outcome(wanted: list[str], given: list[str]) -> EntityOutcome:
    """Each token is one letter of a text of letters and spaces."""
    rows = [row.split() for row in wanted]
    return EntityOutcome(
        texts=[" ".join("a" * len(row)) for row in rows],
        tokens=[[(2 * i, 2 * i + 1) for i in range(len(row))] for row in rows],
        targets=[_entities(row) for row in wanted],
        predicted=[_entities(row) for row in given],
        rows=range(len(rows)),
    )


def _entities(row: str) -> list[Entity]:
    return [(2 * first, 2 * last - 1, label) for first, last, label in tags.decode(row.split())]


def test_scores_are_those_of_seqeval() -> None:
    outcome = _outcome(WANTED, GIVEN)
    assert entities.entity_f1(outcome) == pytest.approx(0.5)
    assert entities.token_accuracy(outcome) == pytest.approx(0.8)
    misc, person = entities.per_label(outcome)
    assert (misc.label, misc.f1, misc.support) == ("MISC", 0.0, 1)
    assert (person.label, person.f1, person.support) == ("PER", 1.0, 1)


def test_the_right_words_under_the_wrong_label_are_wrong() -> None:
    outcome = _outcome(["B-PER I-PER B-LOC"], ["B-LOC I-LOC B-LOC"])
    assert entities.entity_f1(outcome) == pytest.approx(0.5)
    assert entities.token_accuracy(outcome) == pytest.approx(1 / 3)


def test_an_entity_with_wrong_ends_is_told_from_one_that_was_not_seen() -> None:
    outcome = _outcome([*WANTED, "B-LOC O"], [*GIVEN, "O B-LOC"])
    assert entities.entity_f1(outcome) == pytest.approx(1 / 3)
    assert entities.entity_overlap_f1(outcome) == pytest.approx(2 / 3)
    assert entities.entity_overlap_f1(_outcome(["B-PER I-PER"], ["B-LOC I-LOC"])) == 0


def test_nothing_found_where_nothing_is_scores_nothing() -> None:
    assert entities.entity_f1(_outcome(["O O"], ["O O"])) == 0.0


def test_examples_show_what_was_found_and_what_is_there() -> None:
    assert entities.examples(_outcome([*WANTED, "O"], [*GIVEN, "O"])) == [
        {"prompt": "a a a a a a a", "answer": "a a a a (MISC)", "expected": "a a a (MISC)"},
        {"prompt": "a a a", "answer": "a a (PER)", "expected": "a a (PER)"},
    ]


def test_the_dictionary_finds_what_it_knows_again_the_longest_first() -> None:
    texts = ["Ada sees Paris", "Paris sees Ada", "Ada Hilton, Paris Hilton"]
    known = [
        [(0, 3, "PER"), (9, 14, "LOC")],
        [(0, 5, "LOC"), (11, 14, "PER")],
        [(0, 10, "PER"), (12, 24, "PER")],
    ]
    beside = EntityOutcome(
        texts=["Ada Hilton likes Paris"], tokens=[[]], targets=[[]], predicted=[[]], rows=[0]
    )
    found = entities.dictionary(texts, known, beside)
    assert found.predicted == [[(0, 10, "PER"), (17, 22, "LOC")]]


@pytest.mark.parametrize("metric", [entities.entity_f1, entities.token_accuracy])
def test_what_has_no_entities_cannot_be_measured(metric: Callable[[Outcome], float]) -> None:
    with pytest.raises(DataError, match="T21"):
        metric(TokenOutcome(nll=np.ones(1), tokens=np.ones(1, int), rows=[0]))
    with pytest.raises(DataError, match="E03"):
        metric(_outcome([], []))


def test_a_word_that_is_seldom_an_entity_is_not_in_the_dictionary() -> None:
    texts, known = ["May came", "May is a month", "in May"], [[(0, 3, "PER")], [], []]
    beside = _outcome(["O"], ["O"])
    assert entities.dictionary(texts, known, replace(beside, texts=["May left"])).predicted == [[]]
