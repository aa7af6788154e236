"""Answers: what cannot be is refused, what is kept is in order, and places are code points."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.errors import UsageError
from tunesmith.core.store.labelling import Label, Project
from tunesmith.data.annotation.answers import checked, row, same
from tunesmith.data.annotation.kinds import KINDS, SHAPES
from tunesmith.data.layouts import frames
from tunesmith.data.shapes import COLUMNS

# Emoji with joiners, flags, combining marks, full-width letters, and characters beyond the first plane.
HARD = "A👩‍👩‍👧é🇨🇳Ｂ𠮷한ก็"
LABELS = (Label(name="PER", key="1"), Label(name="地点", key="2"))
CONTENTS = {
    "answer": {"question": "?", "text": HARD},
    "preference": {"prompt": "p", "a": "1", "b": "2"},
}
GOOD = {
    "class": {"label": "地点"},
    "multilabel": {"labels": ["地点", "PER", "PER"]},
    "spans": {"spans": [{"start": 9, "end": 10, "label": "PER"}, {"start": 1, "end": 6, "label": "地点"}]},
    "answer": {"answers": [{"start": 1, "text": HARD[1:6]}]},
    "preference": {"choice": "b"},
    "rating": {"rating": 5},
    "correction": {"text": HARD},
}
BAD = {
    "class": ({"label": "ORG"}, {}, {"label": ["PER"]}),
    "multilabel": ({"labels": ["ORG"]}, {"labels": 3}),
    "spans": tuple(
        {"spans": [{"start": a, "end": b, "label": "PER"}]} for a, b in ((0, 99), (3, 3), (-1, 2), (True, 2))
    ),
    "answer": ({"answers": [{"start": 0, "text": "B"}]}, {"answers": [{"start": 0, "text": ""}]}),
    "preference": ({"choice": "c"},),
    "rating": ({"rating": 0}, {"rating": 6}, {"rating": "a"}),
    "correction": ({"text": "\ud83d"}, {"text": None}),
}


def project(task: str) -> Project:
    return Project(name="p", task=task, labels=LABELS)


@pytest.mark.parametrize("task", KINDS)
def test_a_good_answer_is_kept_in_order_and_makes_a_row_of_its_shape(task):
    content = CONTENTS.get(task, {"text": HARD})
    kept = checked(project(task), content, GOOD[task])
    assert same(task, kept) == same(task, checked(project(task), content, kept))
    made = row(task, content, kept)
    assert set(made) == set(COLUMNS[SHAPES[task]])
    frame = frames.build(SHAPES[task], [[made[name] for name in COLUMNS[SHAPES[task]]]], [None])
    assert frame.height == 1


def test_labels_and_spans_are_kept_once_and_in_order():
    assert checked(project("multilabel"), {"text": ""}, GOOD["multilabel"]) == {"labels": ["PER", "地点"]}
    spans = checked(project("spans"), {"text": HARD}, GOOD["spans"])["spans"]
    assert [(s["start"], s["end"]) for s in spans] == [(1, 6), (9, 10)]


@pytest.mark.parametrize("task", KINDS)
def test_what_cannot_be_an_answer_is_refused_with_a_code(task):
    for answer in BAD[task]:
        with pytest.raises(UsageError, match=r"L0[567]"):
            checked(project(task), CONTENTS.get(task, {"text": HARD}), answer)


def test_a_tie_prefers_nothing():
    assert row("preference", CONTENTS["preference"], {"choice": "tie"}) is None


@given(st.text(min_size=1), st.data())
def test_a_span_is_the_same_characters_whatever_the_text(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    answer = {"spans": [{"start": start, "end": end, "label": "PER"}]}
    assert checked(project("spans"), {"text": text}, answer) == answer
