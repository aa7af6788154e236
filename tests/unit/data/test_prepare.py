"""From a recipe's data section to splits, with every row accounted for and every mistake told."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunesmith.core.errors import DataError, NotFoundError, Problem, RecipeError, TunesmithError
from tunesmith.core.recipe import Data
from tunesmith.data.ledger import Ledger
from tunesmith.data.prepare import SourceReport, inspect, prepare, source_paths

CLEANERS = ["normalise", "strip_html", "fix_mojibake", "mask_pii", "drop_unlabelled", "dedup"]


@dataclass(frozen=True)
class Prepared:
    splits: dict[str, pl.DataFrame]
    ledger: Ledger
    sources: list[SourceReport]
    warnings: list[Problem]


def make(base: Path, shape: str = "labelled", seed: int = 1, **data: Any) -> Prepared:
    with tempfile.TemporaryDirectory() as folder:
        made = prepare(Data(**data), shape=shape, seed=seed, base=base, folder=Path(folder))
        splits = {name: made.frame(name) for name in made.splits}
        assert sorted(path.stem for path in Path(folder).iterdir()) == sorted(splits)
    return Prepared(splits, made.ledger, made.sources, made.warnings)


def codes(base: Path, shape: str = "labelled", **data: Any) -> list[tuple[str, int | None]]:
    return [(p.code, p.line) for p in inspect(Data(**data), shape=shape, base=base)]


def check_account(prepared: Prepared) -> None:
    summary = prepared.ledger.summary()
    assert summary["used"] == len(prepared.splits["train"])
    held = {name: len(frame) for name, frame in prepared.splits.items() if name != "train"}
    assert summary["held_out"] == held
    rows = pl.concat([frame["_row"] for frame in prepared.splits.values()])
    kept = prepared.ledger.frame.filter(pl.col("state").is_in(["used", "held_out"]))
    assert sorted(rows.to_list()) == kept["row"].to_list()


def test_banking77_with_given_test_part(shared_data: Path) -> None:
    source = {"train": "train.csv", "test": "test.csv"}
    prepared = make(shared_data / "cls_banking77", source=source, split={"overlap": "drop"})
    check_account(prepared)
    assert prepared.splits["test"].columns == ["text", "label", "_row"]
    assert prepared.ledger.summary()["read"] == 13_083
    assert prepared.splits["train"]["label"].n_unique() == 77
    assert [(s.split, s.rows, s.mapping["label"]) for s in prepared.sources] == [
        ("train", 10_003, "category"),
        ("test", 3_080, "category"),
    ]
    places = prepared.ledger.frame.select("file", "line").rows()
    assert (places[0], places[10_003]) == (("train.csv", 2), ("test.csv", 2))


LEAK = {"train": "leak_train.csv", "test": "leak_test.csv"}


def test_a_planted_leak_stops_the_run_and_names_the_pairs(shared_data: Path) -> None:
    (problem,) = inspect(Data(source=LEAK), shape="labelled", base=shared_data / "messy")
    assert (problem.code, problem.values["count"], problem.values["exact"]) == ("D80", 30, 30)
    assert problem.values["pairs"].startswith("leak_train.csv:16 = leak_test.csv:5; ")
    assert "overlap: drop" in problem.as_dict("en")["hint"]


def test_a_leak_can_be_left_out_of_training_or_accepted(shared_data: Path) -> None:
    dropped = make(shared_data / "messy", source=LEAK, split={"overlap": "drop"})
    check_account(dropped)
    assert dropped.ledger.summary()["dropped"] == {"overlap": 30}
    assert len(dropped.splits["test"]) == 90
    assert [w.values["count"] for w in dropped.warnings if w.code == "D32"] == [30]
    kept = make(shared_data / "messy", source=LEAK, split={"overlap": "keep"})
    check_account(kept)
    assert (kept.ledger.summary()["dropped"], [w.code for w in kept.warnings]) == ({}, ["D82", "D33", "D34"])


def test_rows_that_nearly_repeat_a_test_row_are_a_leak_too(tmp_path: Path) -> None:
    words = [
        f"the parcel {i} with the blue ribbon went to the house at the end of the road" for i in "abcdefgh"
    ]
    train = [f"{w} yesterday,{'xy'[i % 2]}" for i, w in enumerate(words)]
    (tmp_path / "train.csv").write_text("text,label\n" + "\n".join(train), encoding="utf-8")
    (tmp_path / "test.csv").write_text(f"text,label\n{words[0]} today,x\nanother,y\n", encoding="utf-8")
    source = {"train": "train.csv", "test": "test.csv"}
    (problem,) = inspect(Data(source=source, clean=[]), shape="labelled", base=tmp_path)
    assert (problem.code, problem.values["exact"]) == ("D80", 0)
    assert "≈ test.csv:2 (0." in problem.values["pairs"]
    exactly = Data(source=source, clean=[], split={"similar": None})
    assert inspect(exactly, shape="labelled", base=tmp_path) == []


def test_repeats_that_were_not_removed_stay_on_one_side(tmp_path: Path) -> None:
    rows = "".join(f"text number {i % 20},{'ab'[i % 2]}\n" for i in range(60))
    (tmp_path / "a.csv").write_text("text,label\n" + rows, encoding="utf-8")
    prepared = make(tmp_path, source="a.csv", clean=[], split={"similar": 1.0})
    check_account(prepared)
    assert prepared.ledger.summary()["dropped"] == {}
    train, test = (set(prepared.splits[name]["text"]) for name in ("train", "test"))
    assert train
    assert test
    assert not train & test


def test_the_newest_rows_are_held_out_by_time(tmp_path: Path) -> None:
    lines = [
        f"message {i * 7919 % 1009},{'ab'[i % 2]},2024-{i // 28 + 1:02}-{i % 28 + 1:02}" for i in range(100)
    ]
    (tmp_path / "a.csv").write_text("text,label,sent\n" + "\n".join(lines[::-1]), encoding="utf-8")
    split = {"test": 0.2, "validation": 0.1, "time": "sent", "overlap": "keep"}
    prepared = make(tmp_path, source="a.csv", clean=[], split=split)
    check_account(prepared)
    assert sorted(prepared.splits["test"]["_row"]) == list(range(20))
    assert sorted(prepared.splits["validation"]["_row"]) == list(range(20, 30))
    (tmp_path / "b.csv").write_text("text,label,sent\nx,a,soon\ny,b,2024-01-01\n", encoding="utf-8")
    assert codes(tmp_path, source="b.csv", split={"time": "sent"}) == [("D81", 2)]


def test_sources_are_capped_and_repeated_by_their_weights(tmp_path: Path) -> None:
    for name in "ab":
        lines = [f"{name} says {i * 7919 % 1009},{'xy'[i % 2]}" for i in range(100)]
        (tmp_path / f"{name}.csv").write_text("text,label\n" + "\n".join(lines), encoding="utf-8")
    source = [{"path": "a.csv", "weight": 2.5}, {"path": "b.csv", "cap": 30, "weight": 0.5}]
    prepared = make(tmp_path, source=source, clean=[], split={"test": 0, "validation": 0})
    summary = prepared.ledger.summary()
    assert summary["dropped"] == {"cap": 70, "sampled_out": 15}
    assert summary["used"] == 115
    taken = Counter(prepared.splits["train"]["_row"])
    assert Counter(taken[row] for row in range(100)) == {2: 50, 3: 50}
    assert sorted(taken[row] for row in taken if row >= 100) == [1] * 15


@pytest.mark.parametrize(("balance", "sizes"), [("up", {"a": 80, "b": 80}), ("down", {"a": 20, "b": 20})])
def test_labels_are_balanced_in_the_training_part_only(
    tmp_path: Path, balance: str, sizes: dict[str, int]
) -> None:
    lines = [f"row {i * 7919 % 1009},{'aaaab'[i % 5]}" for i in range(125)]
    (tmp_path / "a.csv").write_text("text,label\n" + "\n".join(lines), encoding="utf-8")
    prepared = make(tmp_path, source="a.csv", clean=[], split={"test": 0.2, "validation": 0}, balance=balance)
    assert Counter(prepared.splits["train"]["label"]) == sizes
    assert Counter(prepared.splits["test"]["label"]) == {"a": 20, "b": 5}
    assert prepared.ledger.summary()["dropped"] == ({"balance": 60} if balance == "down" else {})


def test_weights_of_labels_go_with_the_rows(tmp_path: Path) -> None:
    lines = [f"row {i * 7919 % 1009},{'aaab'[i % 4]}" for i in range(100)]
    (tmp_path / "a.csv").write_text("text,label\n" + "\n".join(lines), encoding="utf-8")
    split = {"test": 0, "validation": 0}
    train = make(tmp_path, source="a.csv", clean=[], split=split, balance="weights").splits["train"]
    weights = dict(train.select("label", "_weight").unique().iter_rows())
    assert weights == {"a": pytest.approx(100 / 150), "b": pytest.approx(2.0)}


def test_every_line_of_a_text_is_accounted_for(shared_data: Path) -> None:
    prepared = make(shared_data / "text_alice", "text", source=".")
    summary = prepared.ledger.summary()
    assert (summary["read"], summary["dropped"]) == (3736, {"blank": 945})
    paragraphs = sum(len(frame) for frame in prepared.splits.values())
    assert paragraphs < summary["used"] + sum(summary["held_out"].values())


def test_a_data_set_that_another_tool_describes_is_a_source(tmp_path: Path) -> None:
    rows = [{"q": f"question {i * 7919 % 1009}", "a": f"answer {i * 31 % 101}"} for i in range(40)]
    (tmp_path / "qa.json").write_text(json.dumps(rows), encoding="utf-8")
    entry = {"file_name": "qa.json", "num_samples": 10, "columns": {"prompt": "q", "response": "a"}}
    (tmp_path / "dataset_info.json").write_text(json.dumps({"mine": entry}), encoding="utf-8")
    prepared = make(tmp_path, "messages", source="dataset_info.json#mine", clean=[])
    assert prepared.ledger.summary()["dropped"] == {"cap": 30}
    turns = prepared.splits["train"]["messages"][0].to_list()
    assert [turn["role"] for turn in turns] == ["user", "assistant"]


def test_the_result_is_a_function_of_recipe_and_files(shared_data: Path) -> None:
    one, two, other = (make(shared_data / "messy", seed=s, source="duplicates.csv") for s in (1, 1, 2))
    assert one.ledger.frame.equals(two.ledger.frame)
    assert all(frame.equals(two.splits[name]) for name, frame in one.splits.items())
    assert not one.ledger.frame.equals(other.ledger.frame)


def test_the_ledger_says_which_row_is_repeated(shared_data: Path) -> None:
    prepared = make(shared_data / "messy", source="duplicates.csv")
    check_account(prepared)
    summary = prepared.ledger.summary()
    # 60 exact ones, and those 14 of 15 near ones whose likeness is 0.8 or more.
    assert (summary["duplicate"], summary["dropped"]) == (74, {"conflicting_label": 20})
    exactly = make(shared_data / "messy", source="duplicates.csv", clean=[{"name": "dedup", "near": None}])
    assert exactly.ledger.summary()["duplicate"] == 60
    frame = prepared.ledger.frame
    repeated = frame["duplicate_of"].drop_nulls()
    assert set(frame["state"].gather(repeated)) <= {"used", "held_out"}


def test_broken_and_unusable_rows_are_dropped_with_their_reasons(shared_data: Path) -> None:
    messy = shared_data / "messy"
    broken = make(messy, "messages", source="broken_lines.jsonl", on_error="drop")
    assert broken.ledger.summary()["dropped"] == {"broken": 6}
    assert broken.ledger.frame.filter(reason="broken")["line"].to_list() == [8, 31, 36, 41, 46, 61]
    mixed = make(messy, "messages", source="mixed_schema.jsonl", on_error="drop")
    dropped = {"empty_answer": 20, "role_order": 20}
    assert mixed.ledger.summary()["dropped"] == dropped


def test_groups_are_kept_together(tmp_path: Path) -> None:
    rows = "".join(f"message {i},{'ab'[i % 2]},customer {i // 4}\n" for i in range(200))
    (tmp_path / "a.csv").write_text("text,label,customer\n" + rows, encoding="utf-8")
    prepared = make(tmp_path, source="a.csv", split={"test": 0.2, "group": "customer"})
    check_account(prepared)
    places: dict[int, set[str]] = {}
    for name, frame in prepared.splits.items():
        assert frame.columns == ["text", "label", "_row"]
        for row in frame["_row"]:
            places.setdefault(row // 4, set()).add(name)
    assert all(len(found) == 1 for found in places.values())


def test_files_are_found_beside_the_recipe_then_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base, here = tmp_path / "recipes", tmp_path / "here"
    for folder, name in ((base, "a.csv"), (here, "a.csv"), (here, "b.csv"), (here, "c[1].csv")):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("text\nx\n", encoding="utf-8")
    monkeypatch.chdir(here)
    found = source_paths(Data(source=["a.csv", "b.csv", "c[1].csv"]), base)
    assert found == {"all": [base / "a.csv", Path("b.csv"), Path("c[1].csv")]}
    assert source_paths(Data(source="?.csv"), here) == {"all": [here / "a.csv", here / "b.csv"]}


@pytest.mark.parametrize("given", [{"test": "a.csv"}, {"all": "a.csv", "train": "a.csv"}])
def test_splits_that_do_not_go_together_are_refused(tmp_path: Path, given: dict[str, str]) -> None:
    with pytest.raises(RecipeError) as caught:
        source_paths(Data(source=given), tmp_path)
    assert caught.value.problems[0].code == "R14"
    assert codes(tmp_path, source=given) == [("R14", None)]


def test_all_mistakes_are_told_at_once(shared_data: Path) -> None:
    source = ["none.csv", "empty.csv", "one_class.csv", "ragged.csv", "label_variants.csv"]
    found = codes(shared_data / "messy", source=source)
    assert found == [("D01", None), ("D02", 1), ("D10", 2), ("D07", 7)]


@pytest.mark.parametrize(
    ("shape", "data", "expected"),
    [
        ("labelled", {"source": "none.csv"}, ("D01", None)),
        ("labelled", {"source": "header_only.csv"}, ("D02", 1)),
        ("labelled", {"source": "one_class.csv"}, ("D09", 1)),
        ("labelled", {"source": "label_variants.csv"}, ("D07", 7)),
        ("labelled", {"source": "de_fr_cp1252.csv"}, ("D08", 1)),
        ("labelled", {"source": "one_class.csv", "fields": {"label": "topic"}}, ("D06", 1)),
        ("labelled", {"source": "duplicates.csv", "split": {"group": "customer"}}, ("D06", 1)),
        ("messages", {"source": "zh_gbk.csv"}, ("D08", 1)),
        ("text", {"source": "noise_pii.jsonl", "clean": [f"{__name__}:nothing"]}, ("D28", None)),
    ],
)
def test_each_mistake_has_a_code_a_place_and_words_in_both_languages(
    shared_data: Path, shape: str, data: dict[str, Any], expected: tuple[str, int | None]
) -> None:
    problems = inspect(Data(**data), shape=shape, base=shared_data / "messy")
    assert [(p.code, p.line) for p in problems] == [expected]
    assert str(data["source"]) in str(problems[0].file)
    for lang in ("en", "zh"):
        said = problems[0].as_dict(lang)
        for part in ("message", "cause", "hint"):
            assert said[part]
            assert "{" not in said[part].replace("{fields: {", "")
    with pytest.raises(TunesmithError) as caught:
        make(shared_data / "messy", shape, 0, **data)
    assert caught.value.problems[0].code == expected[0]


def nothing(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.clear()


def test_missing_files_alone_are_not_found_and_bad_data_is_bad_data(shared_data: Path) -> None:
    with pytest.raises(NotFoundError):
        make(shared_data / "messy", source=["none.csv", "neither.csv"])
    with pytest.raises(DataError):
        make(shared_data / "messy", source=["none.csv", "empty.csv"])


def test_rows_without_label_name_their_places_and_the_way_out(shared_data: Path) -> None:
    data = Data(source="label_variants.csv")
    (problem,) = inspect(data, shape="labelled", base=shared_data / "messy")
    assert problem.values["lines"] == "7, 8, 16, 17, 25, ..."
    assert "drop_unlabelled" in problem.as_dict("en")["hint"]
    cleaned = make(shared_data / "messy", source="label_variants.csv", clean=["drop_unlabelled"])
    assert cleaned.ledger.summary()["dropped"] == {"unlabelled": 20}
    dropped = make(shared_data / "messy", source="label_variants.csv", on_error="drop")
    assert dropped.ledger.summary()["dropped"]["unlabelled"] == 20


def test_what_might_be_wrong_is_a_warning(shared_data: Path) -> None:
    rare = make(shared_data / "messy", source="rare_classes.csv")
    (warning,) = rare.warnings
    assert (warning.code, warning.values["labels"]) == ("D33", "atm_support, automatic_top_up")
    bare = make(
        shared_data / "messy", source="no_header.csv", fields={"text": "column_1", "label": "column_2"}
    )
    assert "D30" in {w.code for w in bare.warnings}
    twice = make(shared_data / "messy", source="dup_columns.csv")
    assert "D31" in {w.code for w in twice.warnings}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(
                ["Hello", "hello ", "ＨＥＬＬＯ", "<br>", "", "x 13800130001", "你好。", "y", "z"]
            ),
            st.sampled_from(["a", "b", "", "c"]),
            st.sampled_from(["g", "h", "i", None]),
        ),
        min_size=1,
        max_size=40,
    ),
    clean=st.lists(st.sampled_from(CLEANERS), max_size=4, unique=True),
    test=st.floats(0, 0.5),
    validation=st.floats(0, 0.4),
    group=st.booleans(),
    seed=st.integers(0, 5),
)
def test_every_row_is_accounted_for_whatever_the_data(
    tmp_path: Path,
    rows: list[tuple[str, str, str | None]],
    clean: list[str],
    test: float,
    validation: float,
    group: bool,
    seed: int,
) -> None:
    lines = [json.dumps({"text": t, "label": label, "who": who}) for t, label, who in rows]
    (tmp_path / "a.jsonl").write_text("\n".join([*lines, "not json"]), encoding="utf-8")
    data = Data(
        source="a.jsonl",
        clean=clean,
        on_error="drop",
        split={"test": test, "validation": validation, "group": "who" if group else None},
    )
    if problems := inspect(data, shape="labelled", base=tmp_path, seed=seed):
        # That no row at all can be used is a mistake, whatever is to be done with bad rows.
        bad = all(not text.strip() or not label for text, label, _ in rows)
        assert problems[0].code in (("D07", "D08", "D12", "D20") if bad else ("D08", "D09", "D28"))
        return
    prepared = make(tmp_path, seed=seed, **data.model_dump())
    check_account(prepared)
    assert prepared.ledger.summary()["read"] == len(rows) + 1
    assert prepared.ledger.summary()["dropped"]["broken"] == 1


def test_a_row_that_loses_its_label_in_cleaning_is_no_row_to_train_on(tmp_path: Path) -> None:
    rows = "".join(f"text {i * 7919 % 1009},{'ab'[i % 2] if i != 3 else 'none'}\n" for i in range(40))
    (tmp_path / "a.csv").write_text("text,label\n" + rows, encoding="utf-8")
    clean = [{"name": "normalise_labels", "missing": ("none",)}]
    assert codes(tmp_path, source="a.csv", clean=clean) == [("D07", 5)]
    dropped = make(tmp_path, source="a.csv", clean=clean, on_error="drop")
    check_account(dropped)
    assert dropped.ledger.summary()["dropped"] == {"unlabelled": 1}


def test_labels_that_cleaning_empties_do_not_stand_in_the_way_of_balance(tmp_path: Path) -> None:
    rows = "".join(f"text {i * 7919 % 1009},{'aab'[i % 3] if i != 3 else 'none'}\n" for i in range(60))
    (tmp_path / "a.csv").write_text("text,label\n" + rows, encoding="utf-8")
    clean = [{"name": "normalise_labels", "missing": ("none",)}]
    split = {"test": 0.1, "validation": 0}
    prepared = make(tmp_path, source="a.csv", clean=clean, on_error="drop", balance="up", split=split)
    counts = Counter(prepared.splits["train"]["label"])
    assert counts["a"] == counts["b"] > 30


def test_rows_without_a_group_stand_alone(tmp_path: Path) -> None:
    rows = [f"text {i * 7919 % 1009},{'ab'[i % 2]},{'' if i % 2 else f'c{i}'}" for i in range(100)]
    (tmp_path / "a.csv").write_text("text,label,who\n" + "\n".join(rows), encoding="utf-8")
    split = {"test": 0.2, "validation": 0, "group": "who", "similar": 1.0}
    prepared = make(tmp_path, source="a.csv", clean=[], split=split)
    assert Counter(row % 2 for row in prepared.splits["test"]["_row"]) == {0: 10, 1: 10}
