"""Labels: variants of one label become one, and what means none is none."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
from running import rows, run

from tunesmith.data.cleaners.labels import MergeLabels, canonical, label_key


def merged(frame: pl.DataFrame, folder: Path, *, at: int) -> pl.DataFrame:
    merge = MergeLabels(folder)
    for part in (frame[:at], frame[at:]):
        merge.see(part)
    return pl.concat([merge.change(frame[:at]), merge.change(frame[at:])])


def test_planted_variants_become_the_labels_they_were(shared_data: Path, tmp_path: Path) -> None:
    truth = json.loads((shared_data / "messy/EXPECTED.json").read_text("utf-8"))["label_variants.csv"][
        "truth"
    ]
    raw = pl.read_csv(shared_data / "messy/label_variants.csv", infer_schema=False)
    tidy = run("normalise_labels", rows(label=raw["label"])).frame
    assert merged(tidy, tmp_path, at=31)["label"].to_list() == truth
    left = run("drop_unlabelled", tidy)
    assert sorted(left.dropped) == [row for row, label in enumerate(truth) if label is None]


def test_variants_have_one_key_and_others_do_not() -> None:
    variants = ["Card lost", "card_lost", "CARD-LOST ", "Ｃａｒｄ　lost", "card__lost"]
    assert label_key(pl.Series(variants)).n_unique() == 1
    others = ["card lost", "cardlost", "card.lost", "-", "c++", "c", "c#", "情感", "情 感"]
    assert label_key(pl.Series(others)).n_unique() == len(others)


def test_the_most_usual_spelling_wins() -> None:
    assert canonical({"A b": 2, "a_b": 3, "A-B": 3, "c": 1}) == {"A b": "A-B", "a_b": "A-B"}


def test_styles_names_and_what_is_none() -> None:
    frame = rows(label=[" Card  Lost", "n/a", "ＯＫ", None, "-1"])
    named = {"style": "snake", "rename": {"ok": "fine"}}
    after = run("normalise_labels", frame, **named).frame["label"].to_list()
    assert after == ["card_lost", None, "fine", None, "-1"]


def test_lists_of_labels(tmp_path: Path) -> None:
    frame = rows(labels=pl.Series([["A ", "a"], [], None, ["NaN", "b"]], dtype=pl.List(pl.String)))
    after = run("normalise_labels", frame, style="lower").frame
    assert after["labels"].to_list() == [["a"], [], None, ["b"]]
    assert merged(rows(labels=[["x", "X"], ["x"], []]), tmp_path, at=1)["labels"].to_list() == [
        ["x"],
        ["x"],
        [],
    ]
    assert run("drop_unlabelled", frame).dropped == {2: "unlabelled"}
