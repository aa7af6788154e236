"""Filters take the rows they should, say why, and leave real text alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from running import change, dropped, rows, run

from tunesmith.core.errors import DataError, NotFoundError

GERMAN = "Guten Tag, wie geht es Ihnen heute und was machen Sie morgen in der Stadt?"
FRENCH = "Ceci est un texte en français qui parle de la météo et des nuages du matin."
JAPANESE = "これは日本語の文章です。とても長いテキストですから、よく読んでください。"
KOREAN = "안녕하세요 오늘은 날씨가 좋네요 산책을 갑시다 그리고 밥을 먹어요"
MIXED = "我们用 PyTorch Lightning and DeepSpeed 训练模型，效果很好，速度也很快，推荐给大家。"


def test_languages_that_are_not_wanted_go() -> None:
    texts = (
        GERMAN,
        FRENCH,
        JAPANESE,
        KOREAN,
        MIXED,
        "I do not know what to do about it.",
        "短",
        "ok!",
        "12345",
    )
    assert dropped("keep_languages", *texts) == dict.fromkeys(range(4), "language")
    assert sorted(dropped("keep_languages", *texts, keep=["de", "ja"])) == [1, 3, 4, 5]


@pytest.mark.parametrize("code", ["en", "de", "fr", "zh-CN", "zh-TW"])
def test_languages_of_real_sentences(code: str, shared_data: Path) -> None:
    lines = (shared_data / f"mt_ntrex/ntrex.{code}.txt").read_text("utf-8").split("\n")
    language = code[:2]
    assert len(run("keep_languages", rows(text=lines), keep=[language]).dropped) < 0.01 * len(lines)
    others = [other for other in ("en", "de", "fr", "zh") if other != language]
    kept = run("keep_languages", rows(text=lines), keep=others).frame["text"]
    assert kept.str.len_chars().mean() < 60  # only what is too short to tell
    assert len(kept) < 0.1 * len(lines)


def test_repetition_goes_in_both_languages() -> None:
    texts = (
        "spam eggs and more. " * 30,
        "正文很长，内容不多。" * 20,
        "\n".join(["menu", "home", "news of the day and more"] * 9),
        "short " * 5,
    )
    assert dropped("drop_repetitive", *texts) == dict.fromkeys(range(3), "repetitive")


def test_real_books_poems_and_articles_are_not_repetitive(shared_data: Path) -> None:
    alice = (shared_data / "text_alice/11-0.txt").read_text("utf-8")
    wiki = (shared_data / "text_wiki_demo/wiki_demo.txt").read_text("utf-8")
    poems = json.loads((shared_data / "text_chinese_poetry/ci.song.1000.json").read_text("utf-8"))
    texts = [alice, wiki, *("\n".join(poem["paragraphs"]) for poem in poems)]
    assert len(dropped("drop_repetitive", *texts)) <= 2


def test_symbols_and_lengths() -> None:
    assert dropped("drop_symbols", "!!! 123 ### 😀", "a1b2c3", "纯中文。", "", None) == {0: "mostly_symbols"}
    assert dropped("limit_length", "a", "  bc ", "defg", None, shortest=2, longest=3) == {
        0: "too_short", 2: "too_long", 3: "too_short",
    }  # fmt: skip
    assert dropped("limit_length", "a", "") == {1: "too_short"}


def test_profanity_is_masked_or_dropped() -> None:
    texts = ("What the FUCK is this", "Scunthorpe shitake", "你他妈的走开")
    assert change("filter_profanity", *texts) == ["What the *** is this", texts[1], "你***走开"]
    assert dropped("filter_profanity", *texts, action="drop") == {0: "profanity", 2: "profanity"}


def test_words_may_begin_or_end_with_a_sign() -> None:
    texts = ("I hate c++ and .NET!", "c++", "用c++写", "abc++ internet")
    words = ["c++", ".net", "@home"]
    assert change("filter_profanity", *texts, words=words) == [
        "I hate *** and ***!", "***", "用***写", "abc++ internet",
    ]  # fmt: skip


def test_lists_of_ones_own(tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("# words\nfoo\n\n坏话\n", encoding="utf-8")
    assert change("filter_profanity", "a foo food 说坏话", words=["a"], file=str(own)) == [
        "*** *** food 说***"
    ]
    assert change("strip_boilerplate", "foo!\nfood", file=str(own)) == ["food"]
    with pytest.raises(NotFoundError) as missing:
        change("filter_profanity", "x", file=str(tmp_path / "none.txt"))
    own.write_bytes("坏话".encode("gbk"))
    with pytest.raises(DataError) as broken:
        change("strip_boilerplate", "x", file=str(own))
    assert [e.value.problems[0].code for e in (missing, broken)] == ["D60", "D61"]
