"""Labels: counts, balance, the rare, the unseen and the misspelt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import polars as pl

from tunesmith.data.profile.labels import Labels, variants


def counted(**splits: list[str | None]) -> dict[str, object]:
    labels = Labels()
    for split, values in splits.items():
        frame = pl.DataFrame({"text": [""] * len(values), "label": pl.Series(values, dtype=pl.String)})
        labels.add(frame, split)
    return labels.result()


def test_counts_and_balance() -> None:
    found = counted(train=["a"] * 20 + ["b"] * 4 + [None], test=["a", "c"])
    assert [(v["label"], v["rows"], v["splits"]["train"]) for v in found["values"]] == [
        ("a", 21, 20), ("b", 4, 4), ("c", 1, 0),
    ]  # fmt: skip
    assert (found["ratio"], found["unlabelled"], found["rare"], found["unseen"]) == (21, 1, ["b", "c"], ["c"])


def test_spellings_of_one_label_are_put_together() -> None:
    found = variants({"Card Lost": 5, "card_lost": 9, "ＣＡＲＤ lost": 1, "card found": 3})
    assert [[entry["label"] for entry in group] for group in found] == [
        ["card_lost", "Card Lost", "ＣＡＲＤ lost"]
    ]


def test_labels_of_a_row_are_counted_one_by_one() -> None:
    labels = Labels()
    labels.add(pl.DataFrame({"text": ["", "", ""], "labels": [["a", "b"], ["a"], []]}), "all")
    found = labels.result()
    assert {v["label"]: v["rows"] for v in found["values"]} == {"a": 2, "b": 1}
    assert (found["per_row"], found["unlabelled"]) == ({"0": 1, "1": 1, "2": 1}, 1)


def test_real_labels_agree_with_a_plain_count(mapped: Callable[[str, str], pl.DataFrame]) -> None:
    frame = mapped("cls_banking77/train.csv", "labelled")
    labels = Labels()
    for start in range(0, frame.height, 999):
        labels.add(frame[start : start + 999], "all")
    found = labels.result()
    assert {v["label"]: v["rows"] for v in found["values"]} == Counter(frame["label"].to_list())
    assert found["count"] == 77
