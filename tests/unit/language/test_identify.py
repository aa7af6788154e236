from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest

from tunesmith.language.identify import identify


@pytest.mark.parametrize("code", ["zh-CN", "zh-TW", "en", "de", "fr"])
def test_the_languages_of_real_news_are_told(shared_data: Path, code: str) -> None:
    lines = (shared_data / "mt_ntrex" / f"ntrex.{code}.txt").read_text("utf-8").splitlines()
    found = identify(lines)
    assert found.count(code[:2]) / len(lines) >= 0.98


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("用Python写一个HTTP server", "zh"),
        ("What does 你好 mean in this sentence?", "en"),
        ("今日はいい天気ですね", "ja"),
        ("这个の字很有意思，大家都喜欢用", "zh"),
        ("안녕하세요", "ko"),
        ("Привіт, як справи?", "uk"),
        ("Доброе утро, как дела?", "ru"),
        ("ok", "und"),
        ("1 + 1 = 2", "und"),
        ("", "und"),
    ],
)
def test_scripts_mixtures_and_texts_too_short_to_tell(text: str, code: str) -> None:
    assert identify([text]) == [code]


def test_a_column_with_nulls_gives_a_code_for_each_row() -> None:
    assert identify(pl.Series(["Guten Tag, wie geht es Ihnen?", None, "你好"])) == ["de", "und", "zh"]
    assert identify([]) == []


def test_threads_get_the_same_answers_as_one(shared_data: Path) -> None:
    lines = (shared_data / "mt_ntrex" / "ntrex.de.txt").read_text("utf-8").splitlines()[:200]
    parts = [lines[at : at + 20] for at in range(0, 200, 20)]
    with ThreadPoolExecutor(4) as pool:
        threaded = [code for part in pool.map(identify, parts) for code in part]
    assert threaded == identify(lines)
