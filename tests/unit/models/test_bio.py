"""Tags of units and the entities they tell of."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tunesmith.models import bio

LABELS = ("LOC", "PER")
UNITS = [(0, 2), (3, 5), (6, 8), (9, 11)]


def test_entities_become_tags_and_come_back() -> None:
    tags = bio.encode([(0, 5, "PER"), (6, 8, "PER"), (9, 11, "LOC")], UNITS, LABELS)
    assert tags.tolist() == [3, 4, 3, 1]
    assert list(bio.runs(tags)) == [(0, 2, 1), (2, 3, 1), (3, 4, 0)]


def test_a_unit_belongs_to_the_entity_that_has_a_part_of_it() -> None:
    assert bio.encode([(4, 7, "LOC")], UNITS, LABELS).tolist() == [0, 1, 2, 0]


def test_of_entities_in_each_other_the_outer_is_told_and_unknown_labels_are_not() -> None:
    nested = [(0, 11, "PER"), (3, 5, "LOC")]
    assert bio.encode(nested, UNITS, LABELS).tolist() == [3, 4, 4, 4]
    assert not bio.encode([(0, 2, "ORG")], UNITS, LABELS).any()
    assert bio.encode([(2, 3, "PER")], UNITS, LABELS).tolist() == [0, 0, 0, 0]


def _is_valid(path: tuple[int, ...]) -> bool:
    before = 0
    for tag in path:
        if tag and tag % 2 == 0 and before not in (tag, tag - 1):
            return False
        before = tag
    return True


@pytest.mark.parametrize("seed", range(20))
def test_the_best_tags_are_the_most_probable_of_all_valid_ones(seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(4, 5)) * 3
    valid = [path for path in product(range(5), repeat=4) if _is_valid(path)]
    best = max(valid, key=lambda path: sum(scores[at, tag] for at, tag in enumerate(path)))
    assert tuple(bio.best(scores).tolist()) == best


def test_no_units_have_no_tags() -> None:
    assert bio.best(np.empty((0, 5))).tolist() == []
    assert list(bio.runs([])) == []
