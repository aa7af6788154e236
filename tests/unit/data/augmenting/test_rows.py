"""Whatever an augmenter wants, what a label may hang on stays: property tests over all of them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.core import components
from tunesmith.data.augmenting.augmenter import Rewriter
from tunesmith.data.augmenting.passage import Edit, Passage, dice_of, edited
from tunesmith.data.augmenting.protection import guarded, keeps
from tunesmith.data.augmenting.rows import changed, passages_of
from tunesmith.language.segment import segment

WORDS = [
    "I", "do", "not", "like", "Paris", "10.5%", "two", "cards", "😀", "e\u0301te\u0301", "𠮷野家", "不喜欢",
    "三百元", "北京", "天气", "ＡＢ", "isn't", "[EMAIL]", "https://a.io/x", "well", "。", ",", "very",
]  # fmt: skip
AUGMENTERS = [
    name
    for name in sorted(components.augmenters.builtin)
    if not (isinstance(made := components.augmenters.get(name), type) and issubclass(made, Rewriter))
]


@st.composite
def tagged(draw: st.DrawFn) -> dict[str, Any]:
    """A text of words with some of them marked, no two marks in one place."""
    words = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12))
    spaced = draw(st.booleans())
    text, spans = "", []
    for word in words:
        text += " " if spaced and text else ""
        if draw(st.integers(0, 3)) == 0:
            spans.append(
                {"start": len(text), "end": len(text) + len(word), "label": draw(st.sampled_from("AB"))}
            )
        text += word
    return {"text": text, "spans": spans, "tokens": None, "_row": 0}


@pytest.fixture(scope="module")
def own_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("tables")
    (folder / "words.txt").write_text(
        "like, love, 喜欢\ncity: paris, rome, 北京, 上海\ncards, maps\nvery, 5, no"
    )
    (folder / "frames.txt").write_text("5{text}5\n请问：{text}\nWell, {text}")
    return {
        "eda": str(folder / "words.txt"),
        "slots": str(folder / "words.txt"),
        "templates": str(folder / "frames.txt"),
    }


OTHERS = {"A": ["Rome", "10", "天津"], "B": ["x", "two dogs"]}


@pytest.mark.parametrize("name", AUGMENTERS)
def test_what_is_marked_or_fixed_stays_and_the_same_dice_give_the_same(
    name: str, own_files: dict[str, str]
) -> None:
    wishes = {"file": own_files[name]} if name in own_files else {}

    @settings(max_examples=25)
    @given(tagged(), st.integers(0, 99))
    def holds(row: dict[str, Any], seed: int) -> None:
        augmenter = components.augmenters.get(name)
        made = []
        for _ in range(2):
            passages = passages_of(row, dice_of(seed), OTHERS, segment)
            edits = {place: augmenter(one, **wishes) for place, one in passages.items()}
            made.append(changed(row, passages, edits))
        assert made[0] == made[1]
        if made[0] is not None:
            check(row, made[0], swaps=name == "entities")

    holds()


def test_slots_are_found_behind_letters_that_grow_in_lower_case_and_need_another_value(
    tmp_path: Path,
) -> None:
    slots = components.augmenters.get("slots")
    (tmp_path / "two.txt").write_text("city: Paris, Rome", "utf-8")
    (tmp_path / "one.txt").write_text("city: Paris", "utf-8")
    text = "İstanbul, PARIS"
    passage = Passage(text=text, dice=random.Random(0), guarded=guarded(text))
    assert slots(passage, file=str(tmp_path / "two.txt")) == [Edit(10, 15, "Rome")]
    assert slots(passage, file=str(tmp_path / "one.txt")) == []


def check(row: dict[str, Any], new: dict[str, Any], *, swaps: bool) -> None:
    assert [span["label"] for span in new["spans"]] == [span["label"] for span in row["spans"]]
    for before, after in zip(row["spans"], new["spans"], strict=True):
        old, surface = (
            row["text"][before["start"] : before["end"]],
            new["text"][after["start"] : after["end"]],
        )
        assert surface == old or (swaps and surface in OTHERS[before["label"]])
    inside = [(span["start"], span["end"]) for span in row["spans"]]
    free = [(a, b) for a, b in guarded(row["text"]) if not any(s < b and a < e for s, e in inside)]
    at = 0
    for start, end in free:
        found = new["text"].find(row["text"][start:end], at)
        assert found >= 0
        at = found + end - start


def test_an_edit_beside_a_number_does_not_make_it_another_one() -> None:
    text = "pay 10 now"
    passage = Passage(text=text, dice=random.Random(0), guarded=guarded(text))
    assert edited(passage, [Edit(6, 7, "5")]) is None
    done = edited(passage, [Edit(7, 10, "today"), Edit(4, 6, "11")])
    assert done is not None
    assert done.text == "pay 10 today"


def test_answers_move_with_their_context_and_a_wrong_place_leaves_it_alone() -> None:
    row = {"question": "Who?", "context": "Ann met Bo.", "answers": [{"text": "Bo", "start": 8}]}
    passages = passages_of(row, dice_of(1), {}, segment)
    new = changed(row, passages, {("context", -1): [Edit(0, 3, "Annabel"), Edit(8, 10, "Al")]})
    assert new is not None
    assert new["context"] == "Annabel met Bo."
    assert new["answers"] == [{"text": "Bo", "start": 12}]
    wrong = {**row, "answers": [{"text": "Bo", "start": 0}]}
    assert ("context", -1) not in passages_of(wrong, dice_of(1), {}, segment)


def test_only_what_the_user_says_is_changed_in_a_conversation() -> None:
    turns = [
        {"role": "user", "content": "hi you", "tool_calls": None},
        {"role": "assistant", "content": "hi", "tool_calls": None},
    ]
    row = {"messages": turns, "tools": None}
    passages = passages_of(row, dice_of(1), {}, segment)
    assert list(passages) == [("messages", 0)]
    new = changed(row, passages, {("messages", 0): "hello you"})
    assert new is not None
    assert [turn["content"] for turn in new["messages"]] == ["hello you", "hi"]
    assert turns[0]["content"] == "hi you"


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ("I will not pay 10 euros", "I won't pay 10 euros", True),
        ("I will not pay 10 euros", "I will pay 10 euros", False),
        ("I will not pay 10 euros", "I will not pay 100 euros", False),
        ("我不喜欢这 3 张卡", "这 3 张卡我不喜欢", True),
        ("我不喜欢这 3 张卡", "我喜欢这 3 张卡", False),
        ("send three cards", "send 3 cards", True),
        ("send three cards", "send four cards", False),
        ("send two hundred and five euros", "send two hundred euros", False),
        ("三百二十元", "320 元", True),
        ("三百元", "一百元", False),
        ("给我一张卡", "给我卡", True),
        ("I sent one card", "I sent a card", True),
        ("I sent one card", "I sent two cards", False),
    ],
)
def test_a_text_written_anew_keeps_numbers_and_negations(before: str, after: str, kept: bool) -> None:
    assert keeps(before, after) is kept
