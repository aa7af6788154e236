"""Conversations: roles, turns, system messages and tools, counted the plain way too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import polars as pl

from tunesmith.data.layouts.frames import build
from tunesmith.data.profile.talks import Talks

SAID = [
    [("system", "be kind"), ("user", "hi"), ("assistant", "hello")],
    [("user", "hi"), ("assistant", "hello"), ("user", "bye"), ("assistant", "see you")],
]


def talks(**more: object) -> pl.DataFrame:
    rows = [
        ([{"role": role, "content": said, "tool_calls": None} for role, said in turns], None)
        for turns in SAID
    ]
    return build("messages", rows, [None, None]).drop("_bad").with_columns(**more)


def test_roles_turns_and_what_is_the_same() -> None:
    counted = Talks()
    counted.add(talks(), "all")
    found = counted.result()
    assert found["roles"] == {"assistant": 3, "system": 1, "user": 3}
    assert (found["turns"], found["rows_with"]["system"], found["different_systems"]) == (
        {"1": 1, "2": 1},
        1,
        1,
    )
    assert found["different_answers_share"] == 2 / 3
    assert found["desirable_share"] is None


def test_rated_conversations_have_a_share_of_good_ones() -> None:
    counted = Talks()
    counted.add(talks(desirable=pl.Series([True, False])), "all")
    assert counted.result()["desirable_share"] == 0.5


def test_real_tool_calls_agree_with_a_plain_count(mapped: Callable[[str, str], pl.DataFrame]) -> None:
    frame = mapped("toolcall_glaive_demo/glaive_toolcall_en_demo.json", "messages")
    counted = Talks()
    for start in range(0, frame.height, 33):
        counted.add(frame[start : start + 33], "all")
    found = counted.result()
    turns = [turn for row in frame["messages"].to_list() for turn in row]
    assert found["roles"] == Counter(turn["role"] for turn in turns)
    assert found["tool_calls"] == sum(turn["tool_calls"] is not None for turn in turns) > 0
