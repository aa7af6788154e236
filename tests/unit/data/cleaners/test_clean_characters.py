"""Width, spaces between Chinese characters, scripts and mojibake, on the hard cases."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from running import change


def cases(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.read_text("utf-8").split("\n") if line]


def test_normalise_restores_texts_of_mixed_width(shared_data: Path) -> None:
    rows = cases(shared_data / "messy/zh_mixed_width.jsonl")
    for row, after in zip(rows, change("normalise", *(row["text"] for row in rows)), strict=True):
        # The originals have punctuation of half width, which is never changed.
        assert unicodedata.normalize("NFKC", str(after)) == unicodedata.normalize("NFKC", row["orig"])


@pytest.mark.parametrize(
    ("settings", "before", "after"),
    [
        ({}, "北京 上海 广州", "北京 上海 广州"),
        ({"chinese_spaces": "all"}, "北京 上海， 广州 A 座", "北京上海，广州 A 座"),
        ({"chinese_spaces": "keep"}, "我 爱 北 京 天 安 门", "我 爱 北 京 天 安 门"),
        ({}, "我 爱 北 京 天 安 门\nA B C D E F", "我爱北京天安门\nA B C D E F"),
        ({"width": "keep"}, "Ａｂ１", "Ａｂ１"),
        ({"width": "all"}, "Ｗｈａｔ？！", "What?!"),
        ({"width": "all"}, "什么？！Ａ", "什么？！A"),
    ],
)
def test_settings_of_normalise(settings: dict[str, str], before: str, after: str) -> None:
    assert change("normalise", before, **settings) == [after]


def test_only_traditional_rows_become_simplified(shared_data: Path) -> None:
    rows = cases(shared_data / "messy/zh_script_mix.jsonl")
    after = change("convert_chinese", *(row["text"] for row in rows))
    changed = [text != row["text"] for text, row in zip(after, rows, strict=True)]
    assert changed == [row["script"] == "hant" for row in rows]


@pytest.mark.parametrize(
    ("to", "after"),
    [
        ("simplified", "软件里面"),
        ("traditional", "軟件裏面"),
        ("taiwan", "軟件裡面"),
        ("hongkong", "軟件裏面"),
    ],
)
def test_scripts(to: str, after: str) -> None:
    assert change("convert_chinese", "软件里面", to=to) == [after]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "mac-roman", "cp437", "cp1250"])
def test_mojibake_of_many_encodings_is_found(encoding: str) -> None:
    text = "naïve café – “déjà vu”"
    damaged = text.encode().decode(encoding, "replace")
    assert "�" in damaged or change("fix_mojibake", damaged) == [text]


def test_only_the_damaged_line_is_repaired() -> None:
    assert change("fix_mojibake", "日本語\ncafÃ© au lait\n——“x”……") == ["日本語\ncafé au lait\n——“x”……"]
