"""Whatever stands in a cell, a row is used or refused for a reason that has a sentence; nothing breaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.data.layouts import REASON_CODES
from tunesmith.data.mapping import mapper, recognise
from tunesmith.data.table import RawTable, build

Q, A = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}
B = {"from": "gpt", "value": "b"}
SPAN = {"start": 0, "end": 1, "labels": ["A"]}
SAMPLES: list[dict[str, Any]] = [
    {"messages": [Q, A], "tools": "[]", "system": "s"},
    {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}], "tools": "[]"},
    {"messages": [{"message": "q"}, {"message": "a"}]},
    {"instruction": "q", "input": "", "output": "a", "history": [], "system": ""},
    {"instruction": "q", "instances": [{"input": "i", "output": "o"}]},
    {"prompt": "q", "completion": "a"},
    {"prompt": "q", "chosen": "a", "rejected": "b"},
    {"conversations": [Q], "chosen": {"from": "gpt", "value": "a"}, "rejected": B},
    {"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: q\n\nAssistant: b"},
    {"instruction": "q", "output": ["a", "b"]},
    {"messages": [Q, A], "label": True},
    {"passage": "p", "question": "q", "options": ["a", "b"], "label": "A"},
    {"question": "q", "context": "c", "answers": [{"text": "c", "answer_start": 0}]},
    {"tokens": ["a"], "tags": ["O"], "text": "a"},
    {"text": "abc", "label": {"A": {"b": [[1, 1]]}}},
    {"text": "abc", "label": [[0, 1, "A"]]},
    {"text": "abc", "annotations": {"entities": [[0, 1, "A"]]}},
    {"text": "abc", "spans": [{"start": 0, "end": 1, "label": "A"}], "tokens": None, "answer": "accept"},
    {"text": "abc", "spans": [], "tokens": [{"start": 0, "end": 3}]},
    {"data": [{"text": "a", "entity": "x"}]},
    {"text": "abc", "start": 0, "end": 1, "label": "A"},
    {"data": {"text": "t"}, "annotations": [{"result": [{"type": "labels", "value": SPAN}]}]},
    {"data": {"text": "t"}, "annotations": [{"result": [{"type": "choices", "value": {"choices": ["A"]}}]}]},
    {"source": ["a", "b"], "target": ["c"]},
    {"source": "a", "target": "c"},
    {"translation": {"en": "a", "zh": "b"}},
    {"paragraphs": ["a", "b"]},
    {"text": "t", "labels": ["a", "b"]},
    {"text": "a text", "toxic": 1, "rude": 0},
    {"text": "t", "label": "l"},
]  # fmt: skip
KEYS = st.sampled_from(
    ["text", "role", "from", "content", "value", "start", "end", "label", "result", "tool_calls", "name"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-2, 3)
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "a", "user", "gpt", "{}"])
)
CELLS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def table(rows: list[dict[str, Any]]) -> RawTable:
    frame, nested = build({name: [row[name] for row in rows] for name in rows[0]})
    return RawTable(path=Path("x"), frame=frame, lines=tuple(range(len(rows))), format="json", nested=nested)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda row: "-".join(row))
@settings(max_examples=20)
@given(data=st.data())
def test_any_cell_is_used_or_refused(sample: dict[str, Any], data: st.DataObject) -> None:
    first = table([sample])
    found = mapper(first, recognise(first), {})
    garbage = {name: data.draw(CELLS | st.just(cell)) for name, cell in sample.items()}
    frame = found(table([sample, garbage]))
    reasons = set(frame["_bad"].drop_nulls())
    assert frame["_bad"][0] is None
    assert reasons <= REASON_CODES.keys()
    assert found(table([garbage])).equals(frame[1:])
