"""Kinds of rows are recognised, or a clear question is asked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tunesmith.core.errors import DataError
from tunesmith.data.mapping import mapper, recognise
from tunesmith.data.reading import read


def table(folder: Path, *rows: dict[str, Any]) -> Any:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return read(path)


def shaped(rows: Any, shape: str) -> Any:
    return mapper(rows, shape, {})(rows)


@pytest.mark.parametrize(
    ("path", "shape", "kind", "mapping"),
    [
        ("cls_banking77/train.csv", "labelled", "text_label", {"text": "text", "label": "category"}),
        ("cls_cold_zh_dev/dev.csv", "labelled", "text_label", {"text": "TEXT", "label": "label"}),
        ("cls_csl_zh/cls_ctg_dev.tsv", "labelled", "text_label", {"text": "column_2", "label": "column_3"}),
        ("messy/数据 目录/训练 集(1).csv", "labelled", "text_label", {"text": "文本", "label": "标签"}),
        (
            "sft_alpaca_demo/alpaca_zh_demo.json",
            "messages",
            "alpaca",
            {"prompt": "instruction", "input": "input", "completion": "output"},
        ),
        ("chat_fastchat/dummy_conversation.json", "messages", "sharegpt", {"messages": "conversations"}),
        ("text_alice/11-0.txt", "text", "text", {"text": "text"}),
    ],
)
def test_real_sets_are_recognised(
    shared_data: Path, path: str, shape: str, kind: str, mapping: dict[str, str]
) -> None:
    raw = read(shared_data / path)
    found = mapper(raw, shape, {})
    assert (recognise(raw), found.kind, found.mapping) == (shape, kind, mapping)
    frame = found(raw)
    assert frame["_bad"].null_count() == frame.height


def test_rows_of_many_kinds_in_one_file_are_mapped_one_by_one(shared_data: Path) -> None:
    truth = json.loads((shared_data / "messy/EXPECTED.json").read_text())["mixed_schema.jsonl"]
    raw = read(shared_data / "messy/mixed_schema.jsonl")
    reasons = {"BAD_empty_output": "empty_answer", "BAD_role_order": "role_order"}
    found = mapper(raw, "messages", {})
    frame = found(raw)
    assert found.kind == "mixed"
    assert frame["_bad"].to_list() == [reasons.get(kind) for kind in truth["kinds"]]
    assert frame["_bad"].null_count() == truth["usable_rows"]
    # Row by row it is the same: nothing depends on the rows beside.
    alone = [found(replace(raw, frame=raw.frame[i : i + 1], lines=(1,))) for i in range(raw.frame.height)]
    assert pl.concat(alone).equals(frame)


def test_alpaca_rows_keep_system_history_and_input(tmp_path: Path) -> None:
    row = {"instruction": "Add", "input": "1 2", "output": "3", "system": "Be brief", "history": [["a", "b"]]}
    messages = shaped(table(tmp_path, row), "messages")["messages"][0].to_list()
    assert [(m["role"], m["content"]) for m in messages] == [
        ("system", "Be brief"),
        ("user", "a"),
        ("assistant", "b"),
        ("user", "Add\n1 2"),
        ("assistant", "3"),
    ]


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        ([("human", "q"), ("gpt", "a")], None),
        ([("system", "s"), ("user", "q"), ("assistant", "a")], None),
        ([("human", "q")], "role_order"),
        ([("human", "q"), ("human", "q"), ("gpt", "a")], "role_order"),
        ([("gpt", "a"), ("human", "q")], "role_order"),
        ([("system", "s")], "role_order"),
        ([("human", "q"), ("gpt", " ")], "empty_answer"),
        ([("human", ""), ("gpt", "a")], "empty_prompt"),
        ([("human", "q"), ("observation", "x"), ("gpt", "a")], "role_order"),
        ([("human", "q"), ("narrator", "x"), ("gpt", "a")], "role_unknown"),
        (
            [
                ("human", "q"),
                ("function_call", '{"name": "f", "arguments": {}}'),
                ("observation", "x"),
                ("gpt", "a"),
            ],
            None,
        ),
        ([("human", "q"), ("function_call", "no JSON"), ("observation", "x"), ("gpt", "a")], "bad_tools"),
    ],
)
def test_conversations_out_of_order_are_refused(
    tmp_path: Path, turns: list[tuple[str, str]], reason: str | None
) -> None:
    row = {"conversations": [{"from": role, "value": said} for role, said in turns]}
    assert shaped(table(tmp_path, row), "messages")["_bad"].to_list() == [reason]


def test_prompt_and_completion_become_one_text(tmp_path: Path) -> None:
    rows = table(
        tmp_path, {"prompt": "2+2?", "completion": "4"}, {"instruction": "Add", "input": "1", "output": "2"}
    )
    frame = shaped(rows, "text")
    assert frame["text"].to_list() == ["2+2?\n4", "Add\n1\n2"]
    assert frame["_bad"].to_list() == [None, None]


def test_labels_of_any_type_are_text_and_missing_ones_are_null(tmp_path: Path) -> None:
    rows = [{"text": "t", "label": label} for label in (1, True, 0.5, " x ", None, "", "N/A")]
    labels = shaped(table(tmp_path, *rows), "labelled")["label"].to_list()
    assert labels == ["1", "true", "0.5", "x", None, None, None]


def test_float_labels_stay_as_they_are_written(shared_data: Path) -> None:
    frame = shaped(read(shared_data / "messy/numeric_labels.csv"), "labelled")
    assert set(frame["label"]) == {"0.0", "1.0", "2.0"}


def test_an_unknown_column_is_answered_with_what_exists(shared_data: Path) -> None:
    with pytest.raises(DataError) as caught:
        mapper(read(shared_data / "cls_banking77/test.csv"), "labelled", {"label": "categry"})
    problem = caught.value.problems[0]
    assert (problem.code, problem.line) == ("D06", 1)
    assert (problem.values["close"], problem.values["known"]) == ("category", "text, category")
    assert "`category`" in problem.as_dict("en")["hint"]


def test_an_unknown_field_is_answered_with_what_exists(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        mapper(table(tmp_path, {"a": "b"}), "text", {"txt": "a"})
    assert (caught.value.problems[0].code, caught.value.problems[0].values["close"]) == ("D16", "text")


@pytest.mark.parametrize(
    ("shape", "row"),
    [
        ("labelled", {"left": "one thing", "right": "another"}),
        ("text", {"left": "one thing", "right": "another"}),
        ("messages", {"left": "q", "right": "a"}),
        ("tagged", {"left": "q", "right": "a"}),
    ],
)
def test_what_is_not_clear_is_asked_with_the_way_to_say_it(
    tmp_path: Path, shape: str, row: dict[str, str]
) -> None:
    with pytest.raises(DataError) as caught:
        mapper(table(tmp_path, row, row), shape, {})
    problem = caught.value.problems[0]
    assert problem.code == "D08"
    assert problem.values["known"] == ", ".join(row)
    assert "data: {fields: {" in problem.as_dict("zh")["hint"]


def test_what_the_user_names_comes_first(tmp_path: Path) -> None:
    rows = table(tmp_path, {"en": "cat", "zh": "猫", "de": "Katze"}, {"en": "dog", "zh": "狗", "de": "Hund"})
    assert mapper(rows, recognise(rows), {}).kind == "pair"
    found = mapper(rows, "paired", {"source": "zh", "target": "en"})(rows)
    assert found.row(0)[:2] == ("猫", "cat")
    whole = table(tmp_path, {"translation": {"en": "cat", "zh": "猫"}})
    assert mapper(whole, "paired", {"source": "zh"})(whole).row(0)[:2] == ("猫", "cat")
