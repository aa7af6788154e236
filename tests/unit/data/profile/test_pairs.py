"""Pairs, preferences and questions: ratios and texts that are the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from tunesmith.data.layouts.frames import build
from tunesmith.data.profile.pairs import Answers, Pairs, Preferences


def test_ratios_odd_ones_and_copies() -> None:
    source = ["a" * 10] * 20 + ["same", "b" * 10]
    target = ["c" * 12] * 20 + ["same", "d" * 90]
    frame = pl.DataFrame(
        {"_row": range(22), "source": source, "target": target}, schema_overrides={"_row": pl.Int64}
    )
    pairs = Pairs()
    pairs.add(frame[:9], "all")
    pairs.add(frame[9:], "all")
    found = pairs.result()
    assert found["ratio"]["0.5"] == 1.2
    assert (found["odd"], found["odd_rows"]) == (1, [{"row": 21, "ratio": 9.0}])
    assert (found["same"], found["same_rows"]) == (1, [{"row": 20}])


def test_real_ratios_agree_with_numpy(mapped: Callable[[str, str], pl.DataFrame]) -> None:
    frame = mapped("mt_tatoeba_en_zh/cmn.tsv", "paired").with_row_index("_row").cast({"_row": pl.Int64})
    pairs = Pairs()
    pairs.add(frame, "all")
    rows = zip(frame["source"].to_list(), frame["target"].to_list(), strict=True)
    ratios = [len(target.strip()) / len(source.strip()) for source, target in rows]
    assert abs(pairs.result()["ratio"]["0.5"] - np.median(ratios)) < 1e-2


def test_preferences_that_differ_by_length_alone_or_not_at_all() -> None:
    def turns(said: str) -> list[dict[str, str | None]]:
        return [{"role": "assistant", "content": said, "tool_calls": None}]

    rows = [
        (turns("q"), turns(chosen), turns(rejected), None)
        for chosen, rejected in (("long one", "no"), ("x", "x"))
    ]
    frame = build("preferred", rows, [None, None]).drop("_bad").with_row_index("_row")
    preferences = Preferences()
    preferences.add(frame, "all")
    assert preferences.result() == {"chosen_longer_share": 0.5, "same": 1, "same_rows": [{"row": 1}]}


def test_questions_of_a_real_set(mapped: Callable[[str, str], pl.DataFrame]) -> None:
    frame = mapped("qa_xquad/xquad.zh.visible.json", "answered")
    answers = Answers()
    answers.add(frame, "all")
    found = answers.result()
    assert (found["unanswerable"], found["contexts"]) == (0, frame["context"].n_unique())
