"""Rows that stream by end in exactly one state, and become the same ledger as a value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tunesmith.data.account import HASH_BYTES, Account
from tunesmith.data.ledger import SCHEMA, Ledger


def account() -> Account:
    made = Account()
    made.open("a.txt")
    # Line 2 continues the paragraph of line 1.
    made.add(np.array([1, 2, 3, 4]), np.array([0, 0, 2, 3]))
    made.open("b.txt")
    made.add(np.array([1, 2]), np.array([4, 5]))
    return made


def test_rows_end_where_they_were_sent_and_the_sums_match() -> None:
    made = account()
    made.identify(np.array([0, 3]), np.full((2, HASH_BYTES), 171, np.uint8))
    made.drop([2], "blank")
    made.hold_out(np.array([4]), "test")
    made.duplicates(np.array([5]), np.array([3]))
    ledger = made.ledger()
    summary = ledger.summary()
    assert made.summary() == summary
    assert (summary["read"], summary["used"], summary["duplicate"]) == (6, 3, 1)
    assert (summary["dropped"], summary["held_out"]) == ({"blank": 1}, {"test": 1})
    assert ledger.frame["file"].to_list() == ["a.txt"] * 4 + ["b.txt"] * 2
    assert ledger.frame["hash"].to_list() == ["ab" * 16, None, None, "ab" * 16, None, None]
    assert ledger.frame["duplicate_of"].to_list() == [None] * 5 + [3]
    assert made.place(4) == ("b.txt", 1)


def test_a_line_of_a_paragraph_ends_where_the_paragraph_does() -> None:
    made = account()
    made.drop([0], "length")
    ledger = made.ledger()
    assert made.summary() == ledger.summary()
    assert ledger.frame["reason"].to_list()[:3] == ["length", "length", None]
    assert ledger.drop([3], "other").summary()["dropped"] == {"length": 2, "other": 1}
    dropped_later = account().ledger().drop([0], "nothing_to_learn")
    assert dropped_later.summary()["dropped"] == {"nothing_to_learn": 2}


def test_a_row_cannot_end_twice_but_one_held_out_may_be_dropped() -> None:
    made = account()
    made.hold_out(np.array([3]), "test")
    made.drop([3], "overlap")
    with pytest.raises(ValueError, match="twice"):
        made.duplicates(np.array([3]), np.array([0]))


def test_used_rows_are_those_that_did_not_end(tmp_path: Path) -> None:
    made = account()
    made.drop([0, 5], "length")
    made.hold_out(np.array([4]), "test")
    assert made.used(pl.DataFrame({"_row": [0, 3, 4, 5]}))["_row"].to_list() == [3, 4]


def test_what_is_written_in_parts_is_what_the_value_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = account()
    made.drop([2], "blank")
    monkeypatch.setattr("tunesmith.data.account._SLICE", 2)
    made.write(tmp_path / "ledger.parquet", tmp_path / "spill")
    assert Ledger.load(tmp_path / "ledger.parquet").frame.equals(made.ledger().frame)
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.parquet"]
    Account().write(tmp_path / "empty.parquet", tmp_path / "spill")
    assert dict(Ledger.load(tmp_path / "empty.parquet").frame.schema) == SCHEMA
