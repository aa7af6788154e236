"""Similar pairs become repetitions, overlap and contradictions."""

from __future__ import annotations

import numpy as np

from tunesmith.data.profile.repeats import Parts, across, contradictions, known, within
from tunesmith.data.similarity import Edges


def pairs(*found: tuple[int, int, float]) -> Edges:
    first, second, similarity = zip(*found, strict=True)
    return Edges(
        first=np.array(first, np.int64),
        second=np.array(second, np.int64),
        similarity=np.array(similarity, np.float32),
    )


# Rows 0-4 are to train on, 5-7 to test; row 8 was never seen.
SPLITS = np.array([0, 0, 0, 0, 0, 1, 1, 1], np.int8)
LABELS = np.array([0, 0, 0, 1, -1, 0, 0, 1], np.int32)
EDGES = pairs((0, 1, 1), (0, 3, 1), (1, 2, 0.85), (0, 5, 1), (2, 6, 0.9), (3, 8, 1))


def test_rows_that_repeat_one_of_their_part_and_label() -> None:
    found = within(known(EDGES, SPLITS), SPLITS, LABELS, 0.8)
    assert (found["rows"], found["exact"], found["near"], found["clusters"]) == (2, 1, 1, 1)
    assert found["largest"] == [{"size": 3, "members": [{"row": 0}, {"row": 1}, {"row": 2}]}]
    assert found["pairs"] == [{"first": {"row": 1}, "second": {"row": 2}, "similarity": 0.85}]


def test_rows_of_another_part_that_train_has_too() -> None:
    found = across(known(EDGES, SPLITS), SPLITS, ["train", "test"])
    assert found is not None
    assert (found["rows"], found["train_rows"]) == (2, 2)
    assert found["splits"] == {"test": {"exact": 1, "near": 1}}
    assert [(p["first"]["row"], p["second"]["row"]) for p in found["pairs"]] == [(0, 5), (2, 6)]


def test_one_part_overlaps_with_nothing() -> None:
    assert across(EDGES, SPLITS, ["all"]) is None


def test_the_same_text_with_two_labels() -> None:
    found = contradictions(known(EDGES, SPLITS), LABELS)
    assert (found["rows"], found["pairs"][0]["second"]) == (2, {"row": 3})


def test_numbers_with_gaps_keep_their_part_and_label() -> None:
    parts = Parts()
    parts.add(np.array([2, 5]), "train", ["a", None])
    parts.add(np.array([7]), "test", ["a"])
    splits, labels = parts.by_row()
    assert splits.tolist() == [-1, -1, 0, -1, -1, 0, -1, 1]
    assert labels.tolist() == [-1, -1, 0, -1, -1, -1, -1, 0]
