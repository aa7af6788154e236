"""Cleaners change what they should and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tunesmith.core import components
from tunesmith.core.chosen import Component
from tunesmith.core.errors import DataError
from tunesmith.data import cleaning
from tunesmith.data.clean import map_texts
from tunesmith.data.cleaners.pii_kinds import is_card, is_id


def read(path: Path) -> pl.DataFrame:
    if path.suffix == ".jsonl":
        return pl.DataFrame([json.loads(line) for line in path.read_text("utf-8").split("\n") if line])
    return pl.read_csv(path, infer_schema=False)


def texts(*values: str) -> pl.DataFrame:
    return pl.DataFrame({"text": values}).with_row_index("_row").cast({"_row": pl.Int64})


def apply(name: str, *values: str) -> list[str]:
    return cleaning.apply(Component(name, {}), texts(*values)).frame["text"].to_list()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Ａｂｃ　１２３", "Abc 123"),
        ("你好，世界！（测试）：“引号”；", "你好，世界！（测试）：“引号”；"),
        ("基\u200b于\ufeff规\u202e范", "基于规范"),
        ("a\x07b\x1b[31mc", "abc"),
        ("e\u0301", "é"),
        ("  many   spaces \t here  ", "many spaces here"),
        ("def f():\n    return  1\r\n", "def f():\n    return 1"),
        ("👩\u200d👩\u200d👧 and a\u200db", "👩\u200d👩\u200d👧 and ab"),
        ("no\xa0break", "no break"),
    ],
)
def test_normalise(before: str, after: str) -> None:
    assert apply("normalise", before) == [after]
    assert apply("normalise", after) == [after]


def test_normalise_keeps_every_chinese_mark_of_a_real_set(shared_data: Path) -> None:
    rows = read(shared_data / "cls_cold_zh_dev/dev.csv")["TEXT"].to_list()
    for mark in "，。！？；：（）“”《》、":
        before = sum(row.count(mark) for row in rows)
        assert sum(row.count(mark) for row in apply("normalise", *rows)) == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<p>Why &amp; how?</p><br/>&nbsp;<script>alert(1)</script>", "Why & how?"),
        ("<div class='a'>one</div><div>two <b>three</b></div>", "one\ntwo three"),
        ("if a < b and c > d: x", "if a < b and c > d: x"),
        ("List<String> a; vector<int> v; x<y", "List<String> a; vector<int> v; x<y"),
        ("1 <b and c> 2", "1 <b and c> 2"),
        ("see `<br>` in ```\n<p>x</p>\n``` and <i>this</i>", "see `<br>` in ```\n<p>x</p>\n``` and this"),
        ("AT&T ?a=1&copy=2", "AT&T ?a=1&copy=2"),
        ("<!-- gone --><style>p {}</style>&lt;tag&gt;", "<tag>"),
        ("no markup", "no markup"),
    ],
)
def test_strip_html(before: str, after: str) -> None:
    assert apply("strip_html", before) == [after]


def test_fix_mojibake_restores_the_originals(shared_data: Path) -> None:
    truth = json.loads((shared_data / "messy/EXPECTED.json").read_text())["mojibake.jsonl"]
    damaged = read(shared_data / "messy/mojibake.jsonl")["text"].to_list()
    assert apply("fix_mojibake", *damaged) == truth["original_texts"]


def test_fix_mojibake_leaves_proper_text_alone(shared_data: Path) -> None:
    french = (shared_data / "messy/de_fr_cp1252.csv").read_text("cp1252")
    rows = [*french.splitlines(), *(shared_data / "messy/zh_gbk.csv").read_text("gbk").splitlines()]
    rows += ["“quotes” … &amp; ｗｉｄｅ"]
    assert apply("fix_mojibake", *rows) == rows


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("写信给li.wei@example.com谢谢", "写信给[EMAIL]谢谢"),
        ("电话13800130001。", "电话[PHONE]。"),
        ("+86 138-0013-0001", "[PHONE]"),
        ("call 010-62345678 or (0755) 26543210", "call [PHONE] or [PHONE]"),
        ("+1 202-555-0005, +44 20 7946 0958", "[PHONE], [PHONE]"),
        ("身份证110101199003070038", "身份证[ID]"),
        ("卡号4111111111111111 or 5500 0000 0000 0004", "卡号[CARD] or [CARD]"),
        ("from 192.0.2.3 and 2001:db8::1", "from [IP] and [IP]"),
    ],
)
def test_mask_pii(before: str, after: str) -> None:
    assert apply("mask_pii", before) == [after]


@pytest.mark.parametrize(
    "text",
    [
        "order 202311231234, 2023-11-23 12:30:45, 2023年11月23日",
        "$1,234,567.89 or 19999.00 and 3.14159265358979",
        "110101199003070002 has a wrong checksum",
        "4111 1111 1111 1112 fails Luhn",
        "v1.2.3.4 std::vector a::b 00:1A:2B:3C:4D:5E",
        "1700000000000 ms, ISBN 978-7-111-12345-6",
        "the year 1990 and 100 200 300",
    ],
)
def test_mask_pii_leaves_ordinary_numbers(text: str) -> None:
    assert apply("mask_pii", text) == [text]


def test_mask_pii_counts_by_kind_and_finds_what_was_planted(shared_data: Path) -> None:
    truth = json.loads((shared_data / "messy/EXPECTED.json").read_text())["noise_pii.jsonl"]["truth"]
    rows = read(shared_data / "messy/noise_pii.jsonl")["text"].to_list()
    cleaned = cleaning.apply(Component("mask_pii", {}), texts(*rows))
    kinds = {"email": "EMAIL", "phone_cn": "PHONE", "phone_us": "PHONE", "ip": "IP", "api_key": "KEY"}
    counts = {"EMAIL": 0, "PHONE": 0, "IP": 0, "ID": 0, "KEY": 0}
    for kind, value in truth:
        if kind in kinds or (kind == "id_cn" and is_id(value)):
            counts[kinds.get(kind, "ID")] += 1
    assert cleaned.counts == counts
    assert not any(is_card(value) for kind, value in truth if kind == "card")


FUNCTIONS = [name for name in components.cleaners.names() if cleaning.whole_of(Component(name)) is None]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_cleaner_keeps_rows_columns_and_an_empty_frame(name: str) -> None:
    frame = pl.DataFrame({"text": ["one", "two"], "label": ["a", "b"], "_row": [4, 7]})
    cleaned = cleaning.apply(Component(name, {}), frame)
    assert cleaned.frame.equals(frame)
    assert cleaning.apply(Component(name, {}), frame.clear()).frame.is_empty()
    talk = [[{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]]
    chat = pl.DataFrame({"messages": talk, "_row": [0]})
    assert cleaning.apply(Component(name, {}), chat).frame.equals(chat)


def shouting(frame: pl.DataFrame, *, longest: int = 5) -> pl.DataFrame:
    loud = map_texts(frame, lambda texts: texts.str.to_uppercase())
    return loud.filter(pl.col("text").str.len_chars() <= longest)


def breaking(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.drop("_row").with_row_index("_row")


def test_a_cleaner_of_ones_own_is_accounted_for() -> None:
    mine = Component(f"{__name__}:shouting", {"longest": 3})
    batch = cleaning.clean(texts("abc", "too long"), [mine])
    assert batch.frame["text"].to_list() == ["ABC"]
    assert {reason: rows.tolist() for reason, rows in batch.dropped.items()} == {mine.name: [1]}
    assert batch.counts[mine.name] == {"changed": 1, mine.name: 1}


def test_a_cleaner_that_breaks_the_rules_is_named() -> None:
    with pytest.raises(DataError) as caught:
        cleaning.apply(Component(f"{__name__}:breaking", {}), texts("a"))
    assert caught.value.problems[0].code == "D27"


def test_rows_of_which_nothing_is_left_are_dropped() -> None:
    batch = cleaning.clean(texts("<br>", "a"), [Component("strip_html")])
    assert {reason: rows.tolist() for reason, rows in batch.dropped.items()} == {"empty_after_cleaning": [0]}
