"""From a recipe's data section to splits, with every row accounted for and every mistake told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunesmith.core.errors import DataError, NotFoundError, RecipeError, TunesmithError
from tunesmith.core.recipe import Data
from tunesmith.data.prepare import Prepared, inspect, prepare, source_paths

CLEANERS = ["normalise", "strip_html", "fix_mojibake", "mask_pii", "drop_unlabelled", "dedup"]


def make(base: Path, shape: str = "labelled", seed: int = 1, **data: Any) -> Prepared:
    return prepare(Data(**data), shape=shape, seed=seed, base=base)


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
    prepared = make(shared_data / "cls_banking77", source=source)
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


def test_a_planted_leak_leaves_training_and_not_the_test_part(shared_data: Path) -> None:
    source = {"train": "leak_train.csv", "test": "leak_test.csv"}
    prepared = make(shared_data / "messy", source=source)
    check_account(prepared)
    assert prepared.ledger.summary()["dropped"] == {"overlap": 30}
    assert len(prepared.splits["test"]) == 90
    assert [w.values["count"] for w in prepared.warnings if w.code == "D32"] == [30]


def test_repeats_that_were_not_removed_do_not_leak_either(tmp_path: Path) -> None:
    rows = "".join(f"text number {i % 20},{'ab'[i % 2]}\n" for i in range(60))
    (tmp_path / "a.csv").write_text("text,label\n" + rows, encoding="utf-8")
    prepared = make(tmp_path, source="a.csv", clean=[])
    check_account(prepared)
    assert prepared.ledger.summary()["dropped"]["overlap"] > 0
    train, test = (set(prepared.splits[name]["text"]) for name in ("train", "test"))
    assert not train & test


def test_the_result_is_a_function_of_recipe_and_files(shared_data: Path) -> None:
    one, two, other = (make(shared_data / "messy", seed=s, source="duplicates.csv") for s in (1, 1, 2))
    assert one.ledger.frame.equals(two.ledger.frame)
    assert all(frame.equals(two.splits[name]) for name, frame in one.splits.items())
    assert not one.ledger.frame.equals(other.ledger.frame)


def test_the_ledger_says_which_row_is_repeated(shared_data: Path) -> None:
    prepared = make(shared_data / "messy", source="duplicates.csv")
    check_account(prepared)
    summary = prepared.ledger.summary()
    assert (summary["duplicate"], summary["dropped"]) == (60, {"conflicting_label": 20})
    repeats = prepared.ledger.frame.filter(state="duplicate")
    assert (repeats["duplicate_of"] < repeats["row"]).all()


def test_broken_and_unusable_rows_are_dropped_with_their_reasons(shared_data: Path) -> None:
    messy = shared_data / "messy"
    broken = make(messy, "messages", source="broken_lines.jsonl", on_error="drop")
    assert broken.ledger.summary()["dropped"] == {"broken": 6}
    assert broken.ledger.frame.filter(reason="broken")["line"].to_list() == [8, 31, 36, 41, 46, 61]
    mixed = make(messy, "messages", source="mixed_schema.jsonl", on_error="drop")
    dropped = {"empty_answer": 20, "role_order": 20, "unrecognised": 20}
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
        ("labelled", {"source": "no_header.csv"}, ("D08", 1)),
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
        prepare(Data(**data), shape=shape, seed=0, base=shared_data / "messy")
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
        assert problems[0].code in ("D08", "D09", "D28")
        return
    prepared = prepare(data, shape="labelled", seed=seed, base=tmp_path)
    check_account(prepared)
    assert prepared.ledger.summary()["read"] == len(rows) + 1
    assert prepared.ledger.summary()["dropped"]["broken"] == 1
