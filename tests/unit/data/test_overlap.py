"""Rows of two parts that say the same are found, named, and kept on one side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from tunesmith.data.account import Account
from tunesmith.data.overlap import alike, between_parts

LONG = "the parcel with the blue ribbon went to the house at the end of the road"
TEXTS = ["one thing", LONG, "ONE thing", f"{LONG} today", "a third", f"{LONG} tomorrow"]
PARTS = np.array(["train", "train", "test", "test", "train", "validation"])


def account() -> Account:
    made = Account()
    made.open("a.csv")
    made.add(np.arange(2, 8), np.arange(6))
    return made


def frames() -> list[pl.DataFrame]:
    whole = pl.DataFrame({"text": TEXTS, "_row": range(6)})
    return [whole[:2], whole[2:5], whole[5:]]


def test_pairs_are_told_by_part_exact_ones_first(tmp_path: Path) -> None:
    found = alike(frames(), tmp_path, least=0.8)
    told = dict(between_parts(found, PARTS, ("validation", "test")))
    assert sorted(zip(told["test"].train, told["test"].held_out, strict=True)) == [(0, 2), (1, 3)]
    problem = told["test"].problem("D80", "test", account())
    assert (problem.values["count"], problem.values["exact"]) == (2, 1)
    assert problem.values["pairs"].startswith("a.csv:2 = a.csv:4; a.csv:3 ≈ a.csv:5 (0.9")
    assert told["validation"].held_out.tolist() == [5]


def test_without_a_likeness_only_equal_rows_count(tmp_path: Path) -> None:
    found = alike(frames(), tmp_path, least=None)
    assert [name for name, _ in between_parts(found, PARTS, ("validation", "test"))] == ["test"]


def test_clusters_connect_rows_among_those_chosen_only(tmp_path: Path) -> None:
    found = alike(frames(), tmp_path, least=0.8)
    everything = found.clusters(np.ones(6, np.bool_))
    assert everything.tolist() == [0, 1, 0, 1, 4, 1]
    some = found.clusters(PARTS == "train")
    assert some.tolist() == [0, 1, 2, 3, 4, 5]
