"""Files of every format and encoding become tables; broken ones say where and why."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core.errors import DataError, NotFoundError, TunesmithError
from tunesmith.data.reading import open_file, read

UNREADABLE = {"header_only.csv": "D02", "empty.csv": "D02", "empty.jsonl": "D02"}
READABLE = (
    "zh_gbk.csv", "zh_gb18030.csv", "zh_tw_big5.tsv", "de_fr_cp1252.csv", "utf8_bom.csv", "utf16le_bom.tsv",
    "mixed_encoding.jsonl", "mojibake.jsonl", "mixed_schema.jsonl", "json_array_trailing_comma.json",
    "json_lines_in_json.json", "json_pretty_array.jsonl", "nested_under_key.json", "duplicates.csv",
    "leak_train.csv", "leak_test.csv", "label_variants.csv", "rare_classes.csv", "one_class.csv",
    "numeric_labels.csv", "quotes_newlines.csv", "no_header.csv", "dup_columns.csv", "single_row.jsonl",
    "noise_pii.jsonl", "zh_mixed_width.jsonl", "zh_script_mix.jsonl", "huge_row.jsonl",
    "formula_injection.csv", "jinja_text.jsonl", "table.parquet", "sheet.xlsx", "数据 目录/训练 集(1).csv",
)  # fmt: skip
# Bytes that are valid GBK are valid GB18030 with the same text; the narrower name is reported.
SAME = {"gb18030": ("gb18030", "gbk"), None: (None, "utf-8")}


@pytest.fixture(scope="session")
def messy(shared_data: Path) -> Path:
    return shared_data / "messy"


@pytest.fixture(scope="session")
def expected(messy: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((messy / "EXPECTED.json").read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize("name", READABLE)
def test_readable_files_have_the_expected_encoding_rows_and_content(
    messy: Path, expected: dict[str, Any], name: str
) -> None:
    table, truth = read(messy / name), expected[name]
    encoding = truth.get("encoding")
    assert table.encoding in SAME.get(encoding, (encoding,))
    assert table.frame.height == len(table.lines) == truth["rows"]
    if "columns" in truth:
        assert table.frame.columns == truth["columns"]
    if "content_sha256" in truth:
        content = "\n".join("\t".join(row) for row in table.frame.iter_rows())
        assert hashlib.sha256(content.encode()).hexdigest() == truth["content_sha256"]


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_files_are_refused(messy: Path, name: str) -> None:
    with pytest.raises(DataError) as caught:
        read(messy / name)
    assert [p.code for p in caught.value.problems] == [UNREADABLE[name]]
    assert name in str(caught.value.problems[0].file)


def test_every_expected_file_is_in_a_list_above(expected: dict[str, Any]) -> None:
    assert set(expected) == {*READABLE, *UNREADABLE, "ragged.csv", "broken_lines.jsonl"}


def test_lines_in_another_encoding_are_read_rightly(messy: Path, expected: dict[str, Any]) -> None:
    table = read(messy / "mixed_encoding.jsonl")
    foreign = expected["mixed_encoding.jsonl"]["gbk_lines"]
    labels = table.frame["label"]
    assert set(labels.gather(foreign)) <= set(labels) - {None}
    assert labels.n_unique() <= 13


def test_broken_lines_are_named_with_their_causes(messy: Path, expected: dict[str, Any]) -> None:
    truth = expected["broken_lines.jsonl"]
    bad = [i for i, kind in enumerate(truth["lines"], 1) if kind.startswith("BAD")]
    table = read(messy / "broken_lines.jsonl", on_error="drop")
    assert table.frame.height == truth["strictly_good"] + truth["repairable"]
    assert [broken.line for broken in table.broken] == bad
    with pytest.raises(DataError) as caught:
        read(messy / "broken_lines.jsonl")
    places = {p.code: (p.line, p.values["lines"]) for p in caught.value.problems}
    assert places == {"D12": (8, "8, 31, 36, 41, 61"), "D13": (46, "46")}


def test_rows_with_too_many_fields_are_broken_lines(messy: Path, expected: dict[str, Any]) -> None:
    table = read(messy / "ragged.csv", on_error="drop")
    truth = expected["ragged.csv"]
    assert (table.frame.height, len(table.broken)) == (truth["good_rows"], truth["bad_rows"])
    with pytest.raises(DataError) as caught:
        read(messy / "ragged.csv")
    problem = caught.value.problems[0]
    assert (problem.code, problem.line, problem.values["found"]) == ("D10", 2, 4)


def test_a_table_without_header_and_one_with_a_repeated_column_say_so(messy: Path) -> None:
    bare, twice = read(messy / "no_header.csv"), read(messy / "dup_columns.csv")
    assert (bare.header, bare.frame.columns) == (False, ["column_1", "column_2"])
    assert (twice.repeated, twice.frame.columns) == (("text",), ["text", "label", "text_2"])


def test_a_row_knows_the_line_on_which_it_starts(tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text('text,label\n"two\nlines",a\n\nnext,b\n', encoding="utf-8")
    array = tmp_path / "a.json"
    array.write_text('{"v": [1],\n "rows": [\n  {"a": 1},\n\n  {"a": 2}\n]}', encoding="utf-8")
    text = tmp_path / "a.txt"
    text.write_text("\none\ntwo\n\n\nthree\n", encoding="utf-8")
    assert read(table).lines == (2, 5)
    assert read(array).lines == (3, 5)
    assert read(text).lines == (2, 6)
    assert read(text).frame["text"].to_list() == ["one\ntwo", "three"]


def test_text_without_blank_lines_is_one_row_a_line(shared_data: Path) -> None:
    reviews = read(shared_data / "cls_rt_polarity" / "rt-polarity.pos")
    assert (reviews.format, reviews.frame.height) == ("text", 4264)


def test_tab_separated_quotes_that_do_not_quote_lose_no_row(shared_data: Path) -> None:
    messages = read(shared_data / "cls_sms_spam" / "SMSSpamCollection")
    assert (messages.format, messages.frame.height) == ("tsv", 5574)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"text{delimiter}label\na. b{delimiter}x\nc. d{delimiter}y\n", encoding="utf-8")
    table = read(path)
    assert (table.delimiter, table.frame.rows()) == (delimiter, [("a. b", "x"), ("c. d", "y")])


@pytest.mark.parametrize(
    ("name", "content", "code", "line"),
    [
        ("a.json", '[{"a": 1},\n{"a": ]', "D04", 2),
        ("a.json", '{"x": [{"a": 1}],\n "y": [{"a": 1}]}', "D14", None),
        ("a.json", "[" * 100_000, "D04", 1),
        ("a.csv", 'text,label\nx,1\n"never, closed,2\n', "D11", 3),
        ("a.csv", "", "D02", 1),
    ],
)
def test_damaged_files_are_errors_with_code_and_place(
    tmp_path: Path, name: str, content: str, code: str, line: int | None
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read(tmp_path / name)
    assert [(p.code, p.line) for p in caught.value.problems] == [(code, line)]


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read(tmp_path / "none.csv")
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert caught.value.problems[0].code == "D15"


def test_errors_speak_both_languages(messy: Path) -> None:
    with pytest.raises(TunesmithError) as caught:
        read(messy / "ragged.csv")
    for lang, word in (("en", "delimiter"), ("zh", "分隔符")):
        said = caught.value.problems[0].as_dict(lang)
        assert word in said["hint"]
        assert "{" not in said["message"] + said["cause"] + said["hint"]


def test_half_a_surrogate_pair_is_replaced_wherever_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl"
    lines = (
        r'{"text": "a \ud83d b", "tags": ["\udc00"], "\ud83d": 1, "\ud83e": 2}',
        r'{"text": "\ud83d\ude00", "tags": []}',
    )
    path.write_text("\n".join(lines) + "\n", "utf-8")
    table = read(path)
    assert table.values("text") == ["a \ufffd b", "\U0001f600"]
    assert table.values("tags") == [["\ufffd"], []]
    assert table.frame.columns == ["text", "tags", "\ufffd", "\ufffd\ufffd"]
    assert table.values("\ufffd\ufffd") == [2, None]


def test_the_sample_of_a_small_file_has_its_last_line_though_it_does_not_end(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n{"b": 2}')
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3,4")
    lines, table = open_file(tmp_path / "a.jsonl"), open_file(tmp_path / "a.csv")
    assert (lines.whole, lines.sample.frame.columns) == (True, ["a", "b"])
    assert (table.whole, table.sample.frame.height) == (True, 2)
