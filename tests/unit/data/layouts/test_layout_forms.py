"""The forms in which tools and peers write rows down, each read as what it means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core.errors import DataError
from tunesmith.data.mapping import mapper, recognise
from tunesmith.data.reading import read
from tunesmith.data.table import RawTable, build

Q = {"role": "user", "content": "q"}
A, B = ({"role": "assistant", "content": text} for text in "ab")
LS = [{"from_name": "l", "to_name": "text", "type": "labels"}]


def table(*rows: dict[str, Any]) -> RawTable:
    names = dict.fromkeys(name for row in rows for name in row)
    frame, nested = build({name: [row.get(name) for row in rows] for name in names})
    return RawTable(path=Path("x"), frame=frame, lines=tuple(range(len(rows))), format="json", nested=nested)


def shaped(*rows: dict[str, Any], fields: dict[str, str] | None = None, shape: str | None = None) -> Any:
    raw = table(*rows)
    return mapper(raw, shape or recognise(raw), fields or {})(raw)


def said(turns: Any) -> list[tuple[str, str]]:
    return [(turn["role"], turn["content"]) for turn in turns]


@pytest.mark.parametrize(
    "row",
    [
        {"conversations": [{"from": "human", "value": "q"}], "chosen": {"from": "gpt", "value": "a"},
         "rejected": {"from": "gpt", "value": "b"}},
        {"instruction": "q", "input": "", "chosen": "a", "rejected": "b"},
        {"instruction": "q", "input": "", "output": ["a", "b"]},
        {"prompt": [Q], "chosen": [A], "rejected": [B]},
        {"chosen": [Q, A], "rejected": [Q, B]},
        {"prompt": "q", "chosen": [Q, A], "rejected": [Q, B]},
        {"prompt": "q", "chosen": "a", "rejected": "b"},
        {"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: q\n\nAssistant: b"},
    ],
)  # fmt: skip
def test_a_preference_is_prompt_chosen_and_rejected_in_any_form(row: dict[str, Any]) -> None:
    frame = shaped(row)
    found = [said(frame[name][0]) for name in ("prompt", "chosen", "rejected")]
    assert found == [[("user", "q")], [("assistant", "a")], [("assistant", "b")]]


def test_a_preference_for_the_same_answer_teaches_nothing() -> None:
    assert shaped({"prompt": "q", "chosen": "a", "rejected": "a"})["_bad"].to_list() == ["same_answers"]


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [Q, A], "label": True},
        {"prompt": "q", "completion": "a", "label": True},
        {"prompt": [Q], "completion": [A], "label": True},
        {"instruction": "q", "input": "", "output": "a", "kto_tag": "true"},
    ],
)
def test_a_verdict_makes_a_conversation_rated(row: dict[str, Any]) -> None:
    frame = shaped(row)
    assert (said(frame["messages"][0]), frame["desirable"][0]) == ([("user", "q"), ("assistant", "a")], True)


def test_tags_of_one_s_own_are_what_roles_are_called() -> None:
    row = {"chat": [{"who": "Kunde", "what": "q"}, {"who": "Wir", "what": "a"}]}
    fields = {
        "messages": "chat",
        "role_tag": "who",
        "content_tag": "what",
        "user_tag": "Kunde",
        "assistant_tag": "Wir",
    }
    frame = shaped(row, fields=fields, shape="messages")
    assert said(frame["messages"][0]) == [("user", "q"), ("assistant", "a")]


def test_openai_calls_parts_and_prompts_with_messages_are_read() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    parts = [{"type": "text", "text": "q"}, {"type": "text", "text": "r"}]
    turns = [
        {"role": "developer", "content": "s"},
        {"role": "user", "content": parts},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "x"},
        A,
    ]
    frame = shaped(
        {"messages": turns, "tools": [{"type": "function"}]},
        {"messages": None, "prompt": [Q], "completion": [A]},
    )
    first, second = frame["messages"].to_list()
    assert said(first) == [
        ("system", "s"),
        ("user", "q\nr"),
        ("assistant", ""),
        ("tool", "x"),
        ("assistant", "a"),
    ]
    assert json.loads(first[2]["tool_calls"]) == [call]
    assert frame["tools"].to_list() == ['[{"type": "function"}]', None]
    assert said(second) == [("user", "q"), ("assistant", "a")]


@pytest.mark.parametrize(
    "row",
    [
        {"text": "看😀李明", "label": {"PER": {"李明": [[2, 3]]}}},
        {"text": "看😀李明", "label": [[2, 4, "PER"]]},
        {"text": "看😀李明", "entities": [[2, 4, "PER"]]},
        {"text": "看😀李明", "entities": [{"start_offset": 2, "end_offset": 4, "label": "PER"}]},
        {"column_1": "看😀李明", "column_2": {"entities": [[2, 4, "PER"]]}},
        {"text": "看😀李明", "spans": [{"start": 2, "end": 4, "label": "PER"}], "answer": "accept"},
        {"text": "看😀李明", "start": 2, "end": 4, "label": "PER"},
        {"data": [{"text": "看😀"}, {"text": "李明", "entity": "PER"}], "key": "look"},
        {"data": {"text": "看😀李明"}, "annotations": [{"result": [
            {**LS[0], "value": {"start": 2, "end": 4, "text": "李明", "labels": ["PER"]}}]}]},
        # Before 2022 Label Studio counted UTF-16 units.
        {"data": {"text": "看😀李明"}, "annotations": [{"was_cancelled": True, "result": []}, {"result": [
            {**LS[0], "value": {"start": 3, "end": 5, "text": "李明", "labels": ["PER"]}}]}]},
    ],
)  # fmt: skip
def test_a_span_is_found_in_every_form(row: dict[str, Any]) -> None:
    frame = shaped(row)
    assert frame.columns == ["text", "spans", "tokens", "_bad"]
    assert frame.row(0)[:2] == ("看😀李明", [{"start": 2, "end": 4, "label": "PER"}])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"text": "abc", "label": [[1, 9, "A"]]}, "bad_spans"),
        ({"text": "abc", "label": [[2, 2, "A"]]}, "bad_spans"),
        ({"text": "abc", "label": {"A": {"x": [[0, 0]]}}}, "bad_spans"),
        (
            {"text": "abc", "spans": [{"start": 0, "end": 1, "label": "A"}], "answer": "reject"},
            "not_accepted",
        ),
        ({"tokens": ["a", "b"], "tags": ["O", "O", "O"]}, "bad_tags"),
        ({"tokens": ["a", " "], "tags": ["O", "O"]}, "bad_tags"),
        (
            {"question": "q", "context": "c", "answers": {"text": ["c"], "answer_start": [0, 1]}},
            "bad_answers",
        ),
        ({"source": "a", "target": " "}, "empty_target"),
    ],
)
def test_a_row_that_does_not_fit_is_refused(row: dict[str, Any], reason: str) -> None:
    good = {"tokens": ["a"], "tags": ["O"]} if "tokens" in row else {}
    frame = shaped(row, *([good] if good else []))
    assert frame["_bad"][0] == reason


def test_a_class_that_was_rejected_in_prodigy_is_not_the_class_of_the_row() -> None:
    frame = shaped(
        {"text": "good", "label": "praise", "answer": "accept"},
        {"text": "bad", "label": "praise", "answer": "reject"},
        {"text": "odd", "label": "praise", "answer": "ignore"},
    )
    assert frame["label"][0] == "praise"
    assert frame["_bad"].to_list() == [None, "not_accepted", "not_accepted"]
    many = [{"text": "good", "label": "praise", "answer": "accept"}] * 300
    assert shaped(*many, {"text": "odd", "label": 7, "answer": "accept"})["label"][-1] == "7"


def test_what_was_chosen_in_prodigy_is_one_class_or_several() -> None:
    options = [{"id": "a", "text": "Alpha"}, {"id": 2, "text": "beta"}]
    rows = [
        {"text": "x", "options": options, "accept": ["a"], "answer": "accept"},
        {"text": "y", "options": options, "accept": [2], "answer": "accept"},
        {"text": "z", "options": options, "accept": [], "answer": "accept"},
        {"text": "w", "options": options, "accept": ["a"], "answer": "ignore"},
    ]
    one = shaped(*rows)
    assert one["label"].to_list()[:3] == ["a", "beta", None]
    assert one["_bad"].to_list() == [None, None, None, "not_accepted"]
    several = shaped(*rows, {**rows[0], "accept": ["a", 2, "a"]})
    assert several["labels"].to_list()[:3] == [["a"], ["beta"], []]
    assert several["labels"].to_list()[4] == ["a", "beta"]


def test_numbers_for_tags_need_names() -> None:
    row = {"tokens": ["Bob", "ran"], "ner_tags": [1, 0]}
    with pytest.raises(DataError) as caught:
        shaped(row, shape="tagged")
    assert caught.value.problems[0].code == "D55"
    assert shaped(
        {**row, "ner_tags": 1},
        row,
        shape="tagged",
        fields={"tokens": "tokens", "tags": "ner_tags", "tag_names": "O, B-PER"},
    )["_bad"].to_list() == ["bad_tags", None]
    frame = shaped(row, shape="tagged", fields={"tag_names": "O, B-PER"})
    assert frame["spans"][0].to_list() == [{"start": 0, "end": 3, "label": "PER"}]


def test_answers_without_a_place_are_looked_for_and_none_means_there_is_none() -> None:
    rows = [
        {"question": "q", "context": "a b", "answers": [{"text": "b"}]},
        {"question": "q", "context": "a b", "answers": []},
        {"question": "q", "context": "a b", "answers": [{"text": "z", "answer_start": -1}]},
        {"question": "q", "context": "a b", "answers": "z"},
        {"question": "q", "context": "a b", "answers": ["z", "b"]},
    ]
    found = shaped(*rows)
    assert found["answers"].to_list()[:2] == [[{"text": "b", "start": 2}], []]
    assert found["_bad"].to_list() == [None, None, "bad_answers", "bad_answers", None]


def test_several_labels_are_a_list_a_text_or_columns() -> None:
    assert shaped({"text": "t", "labels": ["a", "b"]})["labels"].to_list() == [["a", "b"]]
    told = {"text": "t", "topics": "a, b,a"}
    frame = shaped(told, shape="multilabelled", fields={"labels": "topics"})
    assert frame["labels"].to_list() == [["a", "b"]]
    missing = shaped({"text": "t", "labels": ["a", "b"]}, {"text": "u"}, {"text": "v", "labels": []})
    assert missing["labels"].to_list() == [["a", "b"], None, []]
    flags = [{"comment": "a text", "rude": 1, "loud": 0}, {"comment": "more of it", "rude": 0, "loud": 0}]
    assert shaped(*flags)["labels"].to_list() == [["rude"], []]


def test_choices_of_label_studio_are_labels() -> None:
    result = {"from_name": "c", "to_name": "text", "type": "choices", "value": {"choices": ["good"]}}
    task = {"data": {"text": "t"}, "annotations": [{"result": [result]}]}
    assert shaped(task, {"data": {"text": "u"}, "annotations": []})["label"].to_list() == ["good", None]
    more = {**result, "value": {"choices": ["good", "new"]}}
    assert shaped({**task, "annotations": [{"result": [more]}]})["labels"].to_list() == [["good", "new"]]


def test_snips_offsets_say_what_the_data_set_says(shared_data: Path) -> None:
    path = shared_data / "slot_snips/train_GetWeather_full.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["GetWeather"]
    raw = read(path)
    frame = mapper(raw, "tagged", {})(raw)
    for row, text, spans in zip(rows, frame["text"], frame["spans"].to_list(), strict=True):
        wanted = [(piece["entity"], piece["text"]) for piece in row["data"] if "entity" in piece]
        assert [(s["label"], text[s["start"] : s["end"]]) for s in spans] == wanted
