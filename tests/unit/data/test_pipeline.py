"""Rows stream through cleaners: the same result in any batch size and with any number of threads."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tunesmith.core.recipe import Data
from tunesmith.data.pipeline import Streamed, stream

CHAIN = ["fix_mojibake", "strip_html", "normalise", "mask_pii", "limit_length", "dedup"]


def made(base: Path, folder: Path, shape: str, threads: int, batch_bytes: int, **data: Any) -> Streamed:
    return stream(
        Data(**data), shape=shape, base=base, folder=folder, threads=threads, batch_bytes=batch_bytes
    )


def rows(streamed: Streamed) -> dict[str, pl.DataFrame]:
    return {split: pl.concat(streamed.frames(split)) for split in streamed.rows}


@pytest.mark.parametrize(
    ("folder", "shape", "source"),
    [
        ("messy", "labelled", ["duplicates.csv", "zh_gbk.csv", "label_variants.csv"]),
        ("messy", "messages", ["mixed_schema.jsonl", "broken_lines.jsonl"]),
        ("text_alice", "text", ["11-0.txt"]),
        ("qa_xquad", "answered", ["xquad.zh.visible.json"]),
        ("ner_wnut17", "tagged", ["emerging.dev.conll"]),
        ("cls_banking77", "labelled", {"train": "test.csv"}),
    ],
)
def test_neither_batches_nor_threads_change_the_result(
    shared_data: Path, tmp_path: Path, folder: str, shape: str, source: Sequence[str] | dict[str, str]
) -> None:
    settings = {"source": source, "clean": [*CHAIN[:-1], "merge_labels", "dedup"], "on_error": "drop"}
    runs = [
        made(shared_data / folder, tmp_path / f"{threads}-{size}", shape, threads, size, **settings)
        for threads, size in ((1, 1 << 22), (2, 30_000), (3, 5_000))
    ]
    first = rows(runs[0])
    for other in runs[1:]:
        assert other.account.ledger().frame.equals(runs[0].account.ledger().frame)
        assert other.counts == runs[0].counts
        assert other.problems == runs[0].problems
        assert rows(other).keys() == first.keys()
        assert all(frame.equals(first[split]) for split, frame in rows(other).items())


def test_each_given_part_is_deduplicated_by_itself(tmp_path: Path) -> None:
    for name in ("train", "test"):
        (tmp_path / f"{name}.csv").write_text("text,label\nsame words here,a\nsame words here,a\nother,b\n")
    source = {"train": "train.csv", "test": "test.csv"}
    streamed = made(tmp_path, tmp_path / "work", "labelled", 1, 1 << 20, source=source, clean=["dedup"])
    assert {split: len(frame) for split, frame in rows(streamed).items()} == {"train": 2, "test": 2}
    assert streamed.counts == {"dedup": {"duplicate": 2}}


def test_spellings_of_a_label_are_merged_over_all_parts_and_cleaning_goes_on_after(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(
        "text,label\na b,Card lost\nc d,card_lost\ne f,card_lost\nk l,card_lost\n"
    )
    (tmp_path / "test.csv").write_text("text,label\ng h,Card lost\n<b>i j</b>,x\n")
    source = {"train": "train.csv", "test": "test.csv"}
    clean = ["merge_labels", "strip_html"]
    streamed = made(tmp_path, tmp_path / "work", "labelled", 1, 1 << 20, source=source, clean=clean)
    assert rows(streamed)["test"].select("text", "label").rows() == [("g h", "card_lost"), ("i j", "x")]
    last = made(tmp_path, tmp_path / "last", "labelled", 1, 1 << 20, source=source, clean=["merge_labels"])
    assert set(rows(last)["train"]["label"]) == {"card_lost"}


def test_all_mistakes_of_rows_are_counted_and_the_first_are_named(tmp_path: Path) -> None:
    lines = [json.dumps({"text": "" if i % 3 else f"row {i}", "label": "a"}) for i in range(30)]
    (tmp_path / "a.jsonl").write_text("\n".join([*lines, "{", "["]))
    streamed = made(tmp_path, tmp_path / "work", "labelled", 2, 300, source="a.jsonl", clean=[])
    told = {problem.code: problem.values for problem in streamed.problems}
    assert (told["D20"]["count"], told["D20"]["lines"]) == (20, "2, 3, 5, 6, 8, ...")
    assert (told["D12"]["count"], told["D12"]["lines"]) == (2, "31, 32")
    assert streamed.account.ledger().summary()["dropped"] == {"broken": 2, "empty_text": 20}


def test_a_file_of_which_no_row_can_be_used_is_a_mistake_even_where_bad_rows_go(tmp_path: Path) -> None:
    for name, label in (("a", ""), ("b", "x")):
        (tmp_path / f"{name}.csv").write_text(f"text,label\n,x\nhi there,{label}\n", encoding="utf-8")
    settings: dict[str, Any] = {"source": ["a.csv", "b.csv"], "clean": [], "on_error": "drop"}
    streamed = made(tmp_path, tmp_path / "work", "labelled", 1, 1 << 20, **settings)
    assert [(problem.code, Path(problem.file or "").name) for problem in streamed.problems] == [
        ("D07", "a.csv"),
        ("D20", "a.csv"),
    ]


def test_what_is_planted_is_found_and_nothing_else(tmp_path: Path) -> None:
    random.seed(5)
    words = [f"w{i}" for i in range(3000)]
    texts = [" ".join(random.sample(words, 40)) for _ in range(400)]
    near = [text.rsplit(" ", 1)[0] + " zzz" for text in texts[:60]]
    order = [*texts, *texts[60:90], *near]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in order))
    streamed = made(tmp_path, tmp_path / "work", "text", 2, 4000, source="a.jsonl", clean=["dedup"])
    ledger = streamed.account.ledger().frame.filter(state="duplicate")
    # Of two near texts the longer stays, so the earlier one may go.
    pairs = {tuple(sorted(pair)) for pair in ledger.select("row", "duplicate_of").iter_rows()}
    assert pairs == {(60 + i, 400 + i) for i in range(30)} | {(i, 430 + i) for i in range(60)}
