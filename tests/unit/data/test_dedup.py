"""Of rows that say the same one stays, and nothing goes that is not near to what stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tunesmith.data.cleaning import Verdict
from tunesmith.data.dedup import Dedup

LONG = "the parcel with the blue ribbon went to the house at the end of the road"


def verdict(folder: Path, texts: list[str], near: float | None = 0.8, **columns: list[Any]) -> Verdict:
    frame = pl.DataFrame({"text": texts, **columns, "_row": range(10, 10 + len(texts))})
    cleaner = Dedup(folder, near=near)
    try:
        for start in range(0, len(texts), 2):
            cleaner.see(frame[start : start + 2])
        return cleaner.verdict()
    finally:
        cleaner.close()


def pairs(found: Verdict) -> dict[int, int]:
    return dict(zip(*(rows.tolist() for rows in found.duplicates), strict=True))


def test_case_width_and_spaces_make_no_difference(tmp_path: Path) -> None:
    found = verdict(tmp_path, ["Hello  World", "ｈｅｌｌｏ world", "hello there", " HELLO WORLD "])
    assert pairs(found) == {11: 10, 13: 10}
    assert found.dropped == {}


def test_the_row_with_most_in_it_stays(tmp_path: Path) -> None:
    found = verdict(tmp_path, [LONG, "something else altogether", f"{LONG} again"])
    assert pairs(found) == {10: 12}
    labelled = verdict(tmp_path, ["same", "same"], label=[None, "a"])
    assert pairs(labelled) == {10: 11}


def test_a_text_with_different_labels_goes_altogether(tmp_path: Path) -> None:
    found = verdict(tmp_path, ["Same", "same", "other", "other"], label=["a", "b", "a", "a"])
    assert found.dropped["conflicting_label"].tolist() == [10, 11]
    assert pairs(found) == {13: 12}
    assert found.counts == {"conflicting_label": 2, "duplicate": 1}


def test_near_rows_repeat_each_other_only_with_equal_labels(tmp_path: Path) -> None:
    texts = [LONG, f"{LONG} not", f"{LONG} now"]
    assert pairs(verdict(tmp_path, texts, label=["a", "b", "a"])) == {10: 12}
    assert pairs(verdict(tmp_path, texts, near=None, label=["a", "b", "a"])) == {}


def test_a_chain_of_likeness_does_not_take_what_is_far(tmp_path: Path) -> None:
    words = [f"word{i}" for i in range(30)]
    links = [" ".join([*words[: 30 - 3 * i], *(f"new{i}{j}" for j in range(3 * i))]) for i in range(8)]
    found = pairs(verdict(tmp_path, links))
    kept = [row for row in range(10, 18) if row not in found]
    assert len(kept) > 1

    def runs(row: int) -> set[str]:
        text = links[row - 10]
        return {text[i : i + 5] for i in range(len(text) - 4)}

    for row, of in found.items():
        assert of in kept
        assert len(runs(row) & runs(of)) / len(runs(row) | runs(of)) >= 0.8


def test_questions_on_one_text_are_no_near_repeats(tmp_path: Path) -> None:
    context = LONG * 5
    frame = pl.DataFrame(
        {
            "question": ["Where did it go?", "What colour was it?", "where did it go?"],
            "context": [context] * 3,
            "answers": [[{"text": "the house", "start": 33}]] * 3,
            "_row": [0, 1, 2],
        }
    )
    cleaner = Dedup(tmp_path)
    cleaner.see(frame)
    found = cleaner.verdict()
    cleaner.close()
    assert pairs(found) == {2: 0}


@pytest.mark.parametrize("near", [0.8, None])
def test_without_rows_there_is_no_verdict_to_give(tmp_path: Path, near: float | None) -> None:
    cleaner = Dedup(tmp_path, near=near)
    assert pairs(cleaner.verdict()) == {}
    cleaner.close()
