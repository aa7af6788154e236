"""Kinds of rows are recognised, or a clear question is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core.errors import DataError
from tunesmith.data.mapping import recognise, to_shape
from tunesmith.data.reading import read


def table(folder: Path, *rows: dict[str, Any]) -> Any:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return read(path)


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
    mapped = to_shape(raw, shape, {})
    assert (recognise(raw), mapped.kind, mapped.mapping) == (shape, kind, mapping)
    assert mapped.frame["_bad"].null_count() == mapped.frame.height


def test_rows_of_many_kinds_in_one_file_are_mapped_one_by_one(shared_data: Path) -> None:
    truth = json.loads((shared_data / "messy/EXPECTED.json").read_text())["mixed_schema.jsonl"]
    raw = read(shared_data / "messy/mixed_schema.jsonl")
    reasons = {
        "BAD_empty_output": "empty_answer",
        "BAD_role_order": "role_order",
        "question_answer_list": "unrecognised",
    }
    alone = to_shape(raw, "messages", {})
    assert alone.frame["_bad"].to_list() == [reasons.get(kind) for kind in truth["kinds"]]
    told = to_shape(raw, "messages", {"prompt": "question", "completion": "answer"})
    assert told.frame["_bad"].null_count() == truth["usable_rows"]


def test_alpaca_rows_keep_system_history_and_input(tmp_path: Path) -> None:
    row = {"instruction": "Add", "input": "1 2", "output": "3", "system": "Be brief", "history": [["a", "b"]]}
    messages = to_shape(table(tmp_path, row), "messages", {}).frame["messages"][0].to_list()
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
        ([("human", "q"), ("observation", "x"), ("gpt", "a")], "role_unknown"),
    ],
)
def test_conversations_out_of_order_are_refused(
    tmp_path: Path, turns: list[tuple[str, str]], reason: str | None
) -> None:
    row = {"conversations": [{"from": role, "value": said} for role, said in turns]}
    assert to_shape(table(tmp_path, row), "messages", {}).frame["_bad"].to_list() == [reason]


def test_prompt_and_completion_become_one_text(tmp_path: Path) -> None:
    rows = table(
        tmp_path, {"prompt": "2+2?", "completion": "4"}, {"instruction": "Add", "input": "1", "output": "2"}
    )
    mapped = to_shape(rows, "text", {})
    assert mapped.frame["text"].to_list() == ["2+2?\n4", "Add\n1\n2"]
    assert mapped.frame["_bad"].to_list() == [None, None]


def test_labels_of_any_type_are_text_and_missing_ones_are_null(tmp_path: Path) -> None:
    rows = [{"text": "t", "label": label} for label in (1, True, 0.5, " x ", None, "", "N/A")]
    labels = to_shape(table(tmp_path, *rows), "labelled", {}).frame["label"].to_list()
    assert labels == ["1", "true", "0.5", "x", None, None, None]


def test_float_labels_stay_as_they_are_written(shared_data: Path) -> None:
    mapped = to_shape(read(shared_data / "messy/numeric_labels.csv"), "labelled", {})
    assert set(mapped.frame["label"]) == {"0.0", "1.0", "2.0"}


def test_an_unknown_column_is_answered_with_what_exists(shared_data: Path) -> None:
    with pytest.raises(DataError) as caught:
        to_shape(read(shared_data / "cls_banking77/test.csv"), "labelled", {"label": "categry"})
    problem = caught.value.problems[0]
    assert (problem.code, problem.line) == ("D06", 1)
    assert (problem.values["close"], problem.values["known"]) == ("category", "text, category")
    assert "`category`" in problem.as_dict("en")["hint"]


def test_an_unknown_field_is_answered_with_what_exists(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        to_shape(table(tmp_path, {"a": "b"}), "text", {"txt": "a"})
    assert (caught.value.problems[0].code, caught.value.problems[0].values["close"]) == ("D16", "text")


@pytest.mark.parametrize(
    ("shape", "row"),
    [
        ("labelled", {"left": "one thing", "right": "another"}),
        ("text", {"left": "one thing", "right": "another"}),
        ("messages", {"question": "q", "answer": "a"}),
    ],
)
def test_what_is_not_clear_is_asked_with_the_way_to_say_it(
    tmp_path: Path, shape: str, row: dict[str, str]
) -> None:
    with pytest.raises(DataError) as caught:
        to_shape(table(tmp_path, row, row), shape, {})
    problem = caught.value.problems[0]
    assert problem.code == "D08"
    assert problem.values["known"] == ", ".join(row)
    assert "data: {fields: {" in problem.as_dict("zh")["hint"]
