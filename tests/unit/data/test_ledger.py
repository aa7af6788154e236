"""Every row ends in exactly one state, and the sums match."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tunesmith.core.errors import DataError, NotFoundError
from tunesmith.data.ledger import SCHEMA, Ledger


def ledger(rows: int = 6) -> Ledger:
    return Ledger.of(["a.csv"] * rows, range(2, rows + 2), [f"h{i}" for i in range(rows)])


def test_operations_return_new_ledgers_and_the_summary_adds_up() -> None:
    before = ledger()
    after = before.drop([0], "broken").duplicates({2: 1}).hold_out([3], "test").truncate({4: 17})
    assert before.summary()["used"] == 6
    assert after.summary() == {
        "read": 6,
        "used": 3,
        "truncated": 1,
        "duplicate": 1,
        "dropped": {"broken": 1},
        "held_out": {"test": 1},
    }
    assert after.frame.row(2, named=True)["duplicate_of"] == 1
    assert after.frame.row(4, named=True)["truncated"] == 17
    assert after.frame["split"].to_list() == [None, "train", None, "test", "train", "train"]


@pytest.mark.parametrize(
    "again",
    [
        lambda ended: ended.drop([0], "other"),
        lambda ended: ended.duplicates({0: 1}),
        lambda ended: ended.hold_out([0], "test"),
        lambda ended: ended.truncate({0: 1}),
        lambda ended: ended.drop([6], "beyond"),
    ],
)
def test_a_row_cannot_end_twice(again: Callable[[Ledger], Ledger]) -> None:
    with pytest.raises(ValueError, match="row"):
        again(ledger().drop([0], "broken"))


def test_a_held_out_row_may_still_be_dropped() -> None:
    summary = ledger().hold_out([0, 1], "test").drop([0], "empty").summary()
    assert (summary["held_out"], summary["dropped"]) == ({"test": 1}, {"empty": 1})


def test_a_ledger_survives_the_disk(tmp_path: Path) -> None:
    written = ledger().drop([0], "broken").truncate({1: 3})
    written.write(tmp_path / "ledger.parquet")
    again = Ledger.load(tmp_path / "ledger.parquet")
    assert again.frame.equals(written.frame)
    assert dict(again.frame.schema) == SCHEMA


def test_what_is_no_ledger_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        Ledger.load(tmp_path / "none.parquet")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1")
    ledger().frame.drop("hash").write_parquet(tmp_path / "short.parquet")
    for name in ("bad.parquet", "short.parquet"):
        with pytest.raises(DataError) as caught:
            Ledger.load(tmp_path / name)
        assert caught.value.problems[0].code == "D17"


def test_a_row_has_the_same_id_in_every_file_and_repeats_have_their_own():
    one = Ledger.of(["a"] * 3, [1, 2, 3], ["x", "y", "x"])
    other = Ledger.of(["b"] * 3, [1, 2, 3], ["z", "x", "x"])
    first, second = one.ids([0, 1, 2]), other.ids([1, 2])
    assert len(set(first.values())) == 3
    assert [first[0], first[2]] == [second[1], second[2]]
    assert all(0 <= number < 2**63 for number in first.values())
