"""What holds for every registered cleaner: pure in each row, settled after one pass, careful with Chinese."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from running import rows, run

from tunesmith.core import components
from tunesmith.core.chosen import Component
from tunesmith.data.cleaning import whole_of

FUNCTIONS = [name for name in components.cleaners.names() if whole_of(Component(name, {})) is None]
each_cleaner = pytest.mark.parametrize("name", FUNCTIONS)

MARKS = "。，、；：？！“”‘’（）《》【】—…·￥"

# What the cleaners look for, to be put together in every way.
PIECES = [
    "你好", "世界，", "。", "——", "……", "“引号”", "（括号）", "《书》", "￥5", "a", "B", "the cat", " ",
    "  ", "\n", "\n\n", "\t", "\r\n", "\u3000", "\u200b", "\ufeff", "\u00a0", "\x85", "e\u0301", "１２３",
    "Ａｂ", "！", "漢字", "后", "發", "Ã©", "â€œ", "Â ", "ä¸", "\x80", "<p>", "</p>", "<b", ">", "<br/>",
    "&lt;", "&amp;", "&amp;lt;b&gt;", "<script>", "`x`", "```", "**", "*", "_", "__", "# ", "## t", "> ",
    "[t](u)", "![i](v)", "~~", "---\n", "|", "- ", "li@example.com", "13800130001", "+1 202-555-0005",
    "110101199003070038", "4111111111111111", "192.0.2.33", "2001:db8::1", "sk-abc123def456ghi789jkl0",
    "https://a.org/?q=1", "www.b.cn", "http", "://", "@", ".com", "1", "-", "点击查看更多", "Read more",
    "© 2020 A", "fuck", "他妈的", "[EMAIL]", "[PHONE]", "😀", "👩\u200d👧", "?" * 9,
]  # fmt: skip
# A tag, a link, a line that goes as a whole takes what stands in it along; mojibake becomes something else.
WITH_ALL_IN_IT = re.compile(r"<|\]\(|点击|©|[\x80-\xff]")
TEXT = st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=40)


@each_cleaner
@settings(max_examples=20)
@given(texts=st.lists(TEXT | st.none(), max_size=6))
@example(texts=["&amp;lt;b&amp;gt;x", "**a*b*c**", "hthttp://a.b://c.d", "一 二 三 四 五 六   七"])
def test_a_second_pass_changes_nothing(name: str, texts: list[str | None]) -> None:
    frame = rows(text=pl.Series(texts, dtype=pl.String))
    once = run(name, frame).frame
    again = run(name, once)
    assert again.frame.equals(once)
    assert not again.dropped


@each_cleaner
@settings(max_examples=20)
@given(texts=st.lists(TEXT | st.none(), min_size=2, max_size=6), at=st.integers(1, 5))
def test_rows_are_cleaned_the_same_in_any_company(name: str, texts: list[str | None], at: int) -> None:
    frame = rows(text=pl.Series(texts, dtype=pl.String))
    whole, first, second = run(name, frame), run(name, frame[:at]), run(name, frame[at:])
    assert pl.concat([first.frame, second.frame]).equals(whole.frame)
    assert {**first.dropped, **second.dropped} == whole.dropped


@each_cleaner
@settings(max_examples=20)
@given(texts=st.lists(TEXT, min_size=1, max_size=4))
def test_chinese_punctuation_is_never_damaged(name: str, texts: list[str]) -> None:
    # What stands inside an address, a tag or a line that goes as a whole goes with it.
    texts = [
        text for text in texts if not set("<©Âäâ") & set(text) and "](" not in text and "点击" not in text
    ]
    frame = rows(text=pl.Series(texts, dtype=pl.String))
    after = run(name, frame).frame
    for row, text in after.select("_row", "text").iter_rows():
        for mark in MARKS:
            assert text.count(mark) == texts[row].count(mark), mark


@each_cleaner
def test_frames_given_stay_as_they_were(name: str) -> None:
    frame = rows(text=["Ａ <b>x</b>\u200b li@example.com", "ok"])
    run(name, frame)
    assert frame["text"].to_list() == ["Ａ <b>x</b>\u200b li@example.com", "ok"]


@pytest.fixture(scope="module")
def corpus(shared_data: Path) -> pl.DataFrame:
    cold = pl.read_csv(shared_data / "cls_cold_zh_dev/dev.csv", infer_schema=False)["TEXT"].to_list()
    poems = json.loads((shared_data / "text_chinese_poetry/ci.song.1000.json").read_text("utf-8"))
    alpaca = json.loads((shared_data / "sft_alpaca_demo/alpaca_zh_demo.json").read_text("utf-8"))
    texts = ["\n".join(poem["paragraphs"]) for poem in poems]
    return rows(text=[*cold, *texts, *(row["output"] for row in alpaca)])


@each_cleaner
def test_of_real_data_most_rows_stay_and_chinese_punctuation_too(name: str, corpus: pl.DataFrame) -> None:
    after = run(name, corpus).frame
    assert after.height > 0.985 * corpus.height
    if name in ("strip_html", "strip_markdown", "fix_mojibake"):
        return  # these take marks along with what stands around them
    kept = corpus.filter(pl.col("_row").is_in(after["_row"].implode()))["text"]
    for mark in MARKS:
        counts = [texts.str.count_matches(mark, literal=True) for texts in (kept, after["text"])]
        assert counts[0].equals(counts[1], check_names=False), mark
