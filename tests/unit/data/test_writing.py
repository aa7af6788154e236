"""What is written is read again as the same rows: every layout in every format it fits."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunesmith.core.errors import DataError
from tunesmith.data import shapes
from tunesmith.data.layouts import frames
from tunesmith.data.mapping import mapper, recognise
from tunesmith.data.reading import read
from tunesmith.data.source_file import SourceFile
from tunesmith.data.writing import layouts_for, write

ALPHABET = "ab Zé中文，。😀𠀀\"'|,;=#{}\\"
# No text that is blank, none with white space around it: rows need text, and tables lose such spaces.
LINE = st.text(ALPHABET, min_size=1, max_size=12).map(str.strip).filter(bool).map(lambda text: text + "。")
TEXT = st.lists(LINE, min_size=1, max_size=3).map("\n".join)
WORD = st.text("abZé中文，😀𠀀\"'-", min_size=1, max_size=4)
LABEL = st.sampled_from(["PER", "地点", "creative-work", "B", "O'x"])


def turn(role: str, content: str, calls: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    called = json.dumps(calls, ensure_ascii=False) if calls else None
    return {"role": role, "content": content, "tool_calls": called}


CALL = st.builds(
    lambda name, value: {
        "type": "function",
        "function": {"name": name, "arguments": json.dumps({"q": value})},
    },
    st.sampled_from(["find", "天气"]),
    TEXT,
)
TOOLS = st.none() | TEXT.map(
    lambda text: json.dumps([{"name": "find", "description": text}], ensure_ascii=False)
)


@st.composite
def conversations(draw: st.DrawFn, *, tools: bool = True, ends: bool = True) -> list[dict[str, Any]]:
    turns = [turn("system", draw(TEXT))] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(1, 2))):
        turns.append(turn("user", draw(TEXT)))
        if tools and draw(st.booleans()):
            turns.append(turn("assistant", "", draw(st.lists(CALL, min_size=1, max_size=2))))
            turns.append(turn("tool", draw(TEXT)))
        turns.append(turn("assistant", draw(TEXT)))
    return turns if ends else turns[:-1]


@st.composite
def tagged(draw: st.DrawFn, *, tokens: bool = True, lines: bool = False) -> dict[str, Any]:
    words = draw(st.lists(WORD, min_size=1, max_size=6))
    gap = st.sampled_from(["", " ", "  "] if lines else ["", " ", "\n"])
    text, places = "", []
    for i, word in enumerate(words):
        text += draw(gap) if i else ""
        places.append({"start": len(text), "end": len(text) + len(word)})
        text += word
    spans, at = [], 0
    while at < len(words):
        length = draw(st.integers(1, 2))
        last = min(at + length, len(words))
        if draw(st.booleans()):
            spans.append({"start": places[at]["start"], "end": places[last - 1]["end"], "label": draw(LABEL)})
        at = last
    return {"text": text, "spans": spans, "tokens": places if tokens else None}


@st.composite
def answered(draw: st.DrawFn) -> dict[str, Any]:
    context = draw(TEXT)
    starts = draw(st.lists(st.integers(0, len(context) - 1), max_size=2))
    answers = [{"text": context[s : s + 3], "start": s} for s in starts]
    return {"question": draw(TEXT), "context": context, "answers": answers}


def different(row: dict[str, Any]) -> bool:
    return bool(row["chosen"] != row["rejected"])


LABELLED = st.fixed_dictionaries({"text": TEXT, "label": st.none() | LABEL})
PLAIN = st.fixed_dictionaries({"text": TEXT})
CONTRASTED = st.fixed_dictionaries({"source": TEXT, "target": TEXT, "negative": TEXT})
COMPARED = st.fixed_dictionaries({"source": TEXT, "target": TEXT, "score": st.floats(-9, 9)})
SCORED = st.fixed_dictionaries({"text": TEXT, "score": st.floats(-1e6, 1e6)})
SEVERAL = st.fixed_dictionaries({"text": TEXT, "labels": st.lists(LABEL, unique=True, max_size=3)})
CHAT = st.fixed_dictionaries({"messages": conversations(), "tools": TOOLS})
SPOKEN = st.fixed_dictionaries({"messages": conversations(tools=False), "tools": st.none()})
ANSWER = TEXT.map(lambda text: [turn("assistant", text)])
PREFERRED = st.fixed_dictionaries(
    {"prompt": conversations(ends=False), "chosen": ANSWER, "rejected": ANSWER, "tools": TOOLS}
).filter(different)
RATED = st.fixed_dictionaries({"messages": conversations(), "desirable": st.booleans(), "tools": TOOLS})
PAIRED = st.fixed_dictionaries({"source": TEXT, "target": TEXT})
LINES = st.fixed_dictionaries({"source": LINE, "target": LINE})
# Without quotes and header, five rows that are all regular in semicolons too could be divided by those.
SENTENCE = (
    st.text("ab Zé中文，。😀𠀀\"'", min_size=1, max_size=12).map(str.strip).filter(bool).map("{}。".format)
)
SENTENCES = st.fixed_dictionaries({"source": SENTENCE, "target": SENTENCE})

# Layout, endings, rows, and what must be said to read it again.
CASES: list[tuple[str, str, tuple[str, ...], Any, dict[str, str]]] = [
    (shapes.TEXT, "text", (".jsonl", ".json", ".parquet"), PLAIN, {}),
    (shapes.TEXT, "text", (".csv", ".tsv", ".xlsx"), PLAIN, {}),
    (shapes.TEXT, "text", (".txt",), st.fixed_dictionaries({"text": LINE}), {}),
    (shapes.LABELLED, "text_label", (".jsonl", ".json", ".parquet", ".csv", ".tsv", ".xlsx"), LABELLED, {}),
    (shapes.LABELLED, "label_studio", (".jsonl", ".json"), LABELLED, {}),
    (shapes.LABELLED, "argilla", (".jsonl", ".json"), LABELLED, {}),
    (
        shapes.MULTILABELLED,
        "multi_label",
        (".jsonl", ".json", ".parquet", ".csv", ".tsv", ".xlsx"),
        SEVERAL,
        {"labels": "labels", "separator": "|"},
    ),
    (shapes.MULTILABELLED, "label_studio", (".jsonl", ".json"), SEVERAL, {}),
    (shapes.MULTILABELLED, "argilla", (".jsonl", ".json"), SEVERAL, {}),
    (shapes.SCORED, "text_score", (".jsonl", ".json"), SCORED, {"text": "text", "score": "score"}),
    (shapes.MESSAGES, "messages", (".jsonl", ".json", ".parquet"), CHAT, {}),
    (shapes.MESSAGES, "sharegpt", (".jsonl", ".json", ".parquet"), CHAT, {}),
    (shapes.MESSAGES, "prompt_completion", (".jsonl", ".json"), CHAT, {}),
    (shapes.MESSAGES, "alpaca", (".jsonl", ".json", ".parquet"), SPOKEN, {}),
    (shapes.PREFERRED, "ranking", (".jsonl", ".json", ".parquet"), PREFERRED, {}),
    (shapes.PREFERRED, "trl", (".jsonl", ".json", ".parquet"), PREFERRED, {}),
    (shapes.RATED, "kto", (".jsonl", ".json", ".parquet"), RATED, {}),
    (shapes.TAGGED, "token_tags", (".jsonl", ".json", ".parquet"), tagged(), {}),
    (shapes.TAGGED, "conll", (".conll", ".bio", ".iob2"), tagged(lines=True), {}),
    (shapes.TAGGED, "bioes", (".conll", ".bioes"), tagged(lines=True), {}),
    (shapes.TAGGED, "cluener", (".jsonl", ".json"), tagged(tokens=False), {}),
    (shapes.TAGGED, "doccano", (".jsonl", ".json"), tagged(tokens=False), {}),
    (shapes.TAGGED, "spacy", (".jsonl", ".json"), tagged(tokens=False), {}),
    (shapes.TAGGED, "prodigy", (".jsonl", ".json"), tagged(), {}),
    (shapes.TAGGED, "prodigy", (".parquet",), tagged(tokens=False), {}),
    (shapes.TAGGED, "label_studio", (".jsonl", ".json"), tagged(tokens=False), {}),
    (shapes.TAGGED, "argilla", (".jsonl", ".json"), tagged(tokens=False), {}),
    (shapes.ANSWERED, "squad", (".jsonl", ".json", ".parquet"), answered(), {}),
    (shapes.ANSWERED, "cmrc", (".json",), answered(), {}),
    (shapes.CONTRASTED, "triplet", (".jsonl", ".json"), CONTRASTED, {}),
    (shapes.COMPARED, "pair_score", (".jsonl", ".json"), COMPARED, {}),
    (shapes.PAIRED, "pair", (".jsonl", ".json", ".parquet", ".csv", ".tsv", ".xlsx"), PAIRED, {}),
    (shapes.PAIRED, "translation", (".jsonl", ".json", ".parquet"), PAIRED, {}),
    (shapes.PAIRED, "tatoeba", (".tsv",), SENTENCES, {}),
    (shapes.PAIRED, "lines", (".txt",), LINES, {}),
]
EACH = [
    pytest.param(shape, layout, suffix, rows, fields, id=f"{shape}-{layout}{suffix}")
    for shape, layout, suffixes, rows, fields in CASES
    for suffix in suffixes
]


def is_formula(row: dict[str, Any]) -> bool:
    return any(isinstance(cell, str) and cell.startswith(tuple("=+-@")) for cell in row.values())


def framed(shape: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=frames.schema(shape))


@pytest.mark.parametrize(("shape", "layout", "suffix", "rows", "fields"), EACH)
@settings(max_examples=4, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_is_written_is_read_again(
    shape: str, layout: str, suffix: str, rows: Any, fields: dict[str, str], data: st.DataObject
) -> None:
    # A table without header is a translation when both columns differ from row to row, in three at least.
    unique = (lambda row: row["source"], lambda row: row["target"]) if layout == "tatoeba" else None
    wanted = data.draw(st.lists(rows, min_size=3 if unique else 2, max_size=5, unique_by=unique))
    if suffix in (".csv", ".tsv"):
        wanted = [row for row in wanted if not is_formula(row)] or [dict(wanted[0], text="x。", source="x。")]
    if shape in (shapes.LABELLED, shapes.MULTILABELLED) and not any(
        row.get("label") or row.get("labels") for row in wanted
    ):
        return  # nothing in the file says that there are labels
    frame = framed(shape, [{name: row[name] for name in shapes.COLUMNS[shape]} for row in wanted])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"rows{suffix}")
        half = frame.height // 2
        assert write([frame[:half], frame[half:]], path, layout).rows == frame.height
        file: Any = path
        if layout == "lines":
            file = SourceFile(
                path=path, aligned=tuple((n, path.with_name(f"rows.{n}.txt")) for n in ("source", "target"))
            )
        table = read(file)
        found = mapper(table, shape, fields if suffix in (".csv", ".tsv", ".xlsx") else {})(table)
    assert found.drop("_bad").to_dicts() == frame.to_dicts()
    assert found["_bad"].null_count() == frame.height


def test_every_written_layout_is_covered() -> None:
    covered = {(shape, layout, suffix) for shape, layout, suffixes, _, _ in CASES for suffix in suffixes}
    all_written = {
        (shape, layout, suffix)
        for shape in shapes.COLUMNS
        for layout, suffixes in layouts_for(shape).items()
        for suffix in suffixes
    }
    assert all_written - covered <= {("paired", "tatoeba", ".txt")}
    assert covered <= all_written


def test_cells_that_spreadsheets_run_are_written_as_text(shared_data: Path, tmp_path: Path) -> None:
    table = read(shared_data / "messy/formula_injection.csv")
    frame = mapper(table, "labelled", {})(table)
    write([frame], tmp_path / "safe.csv", "text_label")
    texts = read(tmp_path / "safe.csv").frame["text"].to_list()
    assert texts[:4] == ["'" + text for text in frame["text"][:4]]
    write([frame], tmp_path / "safe.xlsx", "text_label")
    assert read(tmp_path / "safe.xlsx").frame["text"].to_list() == frame["text"].to_list()
    numbers = framed("labelled", [{"text": "-12.5", "label": "-1"}, {"text": "+3%", "label": "=1"}])
    write([numbers], tmp_path / "numbers.csv", "text_label")
    assert read(tmp_path / "numbers.csv").frame.rows() == [("-12.5", "-1"), ("+3%", "'=1")]


CALLING = [
    turn("user", "q"),
    turn("assistant", "", [{"type": "function", "function": {"name": "f", "arguments": "{}"}}]),
]
OVERLAPPING = [{"start": 0, "end": 3, "label": "A"}, {"start": 1, "end": 2, "label": "B"}]


@pytest.mark.parametrize(
    ("shape", "row", "layout", "name", "said"),
    [
        ("messages", {"messages": CALLING, "tools": None}, "alpaca", "a.jsonl", "tools"),
        ("tagged", {"text": "abc", "spans": OVERLAPPING, "tokens": None}, "conll", "a.conll", "overlap"),
        ("paired", {"source": "a\nb", "target": "c"}, "lines", "a.txt", "several lines"),
        ("multilabelled", {"text": "a", "labels": ["x|y"]}, "multi_label", "a.csv", "|"),
        ("labelled", {"text": "a" * 32_768, "label": "b"}, "text_label", "a.xlsx", "32,767"),
    ],
)
def test_a_row_that_does_not_fit_is_named_and_nothing_is_written(
    tmp_path: Path, shape: str, row: dict[str, Any], layout: str, name: str, said: str
) -> None:
    frame = framed(shape, [row]).with_columns(_row=pl.lit(7, pl.Int64))
    with pytest.raises(DataError) as caught:
        write([frame], tmp_path / name, layout)
    problem = caught.value.problems[0]
    assert (problem.code, problem.values["row"]) == ("D57", 7)
    assert said in problem.as_dict("en")["message"]
    assert list(tmp_path.iterdir()) == []
    assert write([frame], tmp_path / name, layout, unfit="drop").left_out == (7,)


def test_a_layout_of_another_shape_is_answered_with_what_fits(tmp_path: Path) -> None:
    frame = framed("labelled", [{"text": "a", "label": "b"}])
    with pytest.raises(DataError) as caught:
        write([frame], tmp_path / "rows.jsonl", "squad")
    problem = caught.value.problems[0]
    assert problem.code == "D56"
    assert "text_label (.jsonl, .json, .csv, .tsv, .xlsx, .parquet)" in problem.as_dict("zh")["cause"]


def test_sides_are_called_by_their_languages(tmp_path: Path) -> None:
    frame = framed("paired", [{"source": "Hi.", "target": "你好。"}])
    write([frame], tmp_path / "a.{en,zh}.txt", "lines")
    assert (tmp_path / "a.en.txt").read_text() == "Hi.\n"
    assert (tmp_path / "a.zh.txt").read_text() == "你好。\n"
    write([frame], tmp_path / "a.jsonl", "translation", languages=("en", "zh"))
    assert json.loads((tmp_path / "a.jsonl").read_text()) == {"translation": {"en": "Hi.", "zh": "你好。"}}


def test_bad_rows_are_left_out_and_tool_answers_get_the_identifiers_of_their_calls(tmp_path: Path) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    turns = [turn("user", "q"), turn("assistant", "", [call]), turn("tool", "4"), turn("assistant", "four")]
    rows = [{"messages": turns, "tools": None}, {"messages": None, "tools": None}]
    frame = framed("messages", rows).with_columns(_bad=pl.Series([None, "role_order"]))
    assert write([frame], tmp_path / "a.jsonl", "messages").rows == 1
    written = json.loads((tmp_path / "a.jsonl").read_text())["messages"]
    assert written[2] == {"role": "tool", "content": "4", "tool_call_id": "c1"}


@pytest.mark.parametrize(
    ("path", "layout", "name"),
    [
        ("ner_uner_zh/zh_gsdsimp-ud-dev.iob2", "bioes", "rows.conll"),
        ("ner_wnut17/emerging.dev.conll", "prodigy", "rows.jsonl"),
        ("toolcall_glaive_demo/glaive_toolcall_zh_demo.json", "messages", "rows.parquet"),
        ("toolcall_glaive_demo/glaive_toolcall_en_demo.json", "sharegpt", "rows.json"),
        ("qa_cmrc2018_dev/cmrc2018_dev.json", "cmrc", "rows.json"),
        ("pref_llamafactory_demo/dpo_zh_demo.json", "trl", "rows.jsonl"),
        ("slot_snips/train_RateBook_full.json", "label_studio", "rows.json"),
        ("messy/quotes_newlines.csv", "text_label", "rows.xlsx"),
        ("mt_tatoeba_en_zh/cmn.tsv", "tatoeba", "rows.tsv"),
    ],
)
def test_a_real_set_survives_another_layout(
    shared_data: Path, tmp_path: Path, path: str, layout: str, name: str
) -> None:
    table = read(shared_data / path)
    found = mapper(table, recognise(table), {})
    frame = found(table).filter(pl.col("_bad").is_null())
    assert write([frame], tmp_path / name, layout).rows == frame.height
    again = read(tmp_path / name)
    assert recognise(again) == found.shape
    assert mapper(again, found.shape, {})(again).equals(frame)


def test_a_sheet_says_which_rows_it_has_no_place_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.data.writers.sheet._ROWS", 3)
    frame = framed("labelled", [{"text": str(i), "label": "b"} for i in range(5)])
    written = write([frame], tmp_path / "a.xlsx", "text_label", unfit="drop")
    assert (written.rows, written.left_out) == (2, (2, 3, 4))
    assert read(tmp_path / "a.xlsx").frame.height == 2
