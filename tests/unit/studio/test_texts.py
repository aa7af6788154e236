"""The page's sentences: complete in both languages, all of them used by name, and never HTML."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

WEB = Path(__file__).parents[3] / "web" / "src"
SOURCES = [path for path in WEB.rglob("*") if path.suffix in {".svelte", ".ts"} and path.name != "schema.ts"]
AREAS = sorted({path.name for path in (WEB / "text").glob("*/*.json")})
COMMENT = re.compile(r"^\s*(//|/?\*).*$", re.MULTILINE)
ASKED = re.compile(r"""\bt\(\s*["'](\w+\.[\w.]+)["']""")
PLACEHOLDER = re.compile(r"\{(\w+)[|}]")


def words(language: str, area: str) -> dict[str, str]:
    path = WEB / "text" / language / area
    found: dict[str, str] = json.loads(path.read_text()) if path.is_file() else {}
    return found


@pytest.mark.parametrize("area", AREAS)
def test_both_languages_say_the_same_things(area: str) -> None:
    english, chinese = words("en", area), words("zh", area)
    assert english.keys() == chinese.keys()
    for key, sentence in english.items():
        assert set(PLACEHOLDER.findall(sentence)) >= set(PLACEHOLDER.findall(chinese[key])), key


@pytest.mark.parametrize("area", AREAS)
def test_chinese_is_chinese(area: str) -> None:
    english, chinese = words("en", area), words("zh", area)
    same = {
        key
        for key in english
        if english[key] == chinese[key] and re.search(r"[a-z]{3,} [a-z]{3,}", english[key])
    }
    assert not same


def test_every_sentence_that_is_asked_for_exists() -> None:
    known = {f"{Path(area).stem}.{key}" for area in AREAS for key in words("en", area)}
    asked = {key for path in SOURCES for key in ASKED.findall(COMMENT.sub("", path.read_text()))}
    assert asked, "the pattern finds nothing"
    assert not asked - known


def test_nothing_is_ever_html() -> None:
    wrong = re.compile(r"\{@html|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\sstyle=\"")
    assert not [path.name for path in SOURCES if wrong.search(path.read_text())]
