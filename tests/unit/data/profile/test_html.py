"""The page: complete in itself, safe, in two languages, the same bytes twice, for every shape."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tunesmith.core import text
from tunesmith.core.errors import Problem
from tunesmith.data.hygiene.issue import Issue
from tunesmith.data.profile import File, Found, Profile, Row, render, spoken
from tunesmith.data.profile.page.mending import flow

Measured = Callable[..., dict[str, Any]]
EVIL = "<script>alert('x')</script><img src=x onerror=alert(1)>\"'&{{ 7*7 }}"
VOID = {"meta", "link", "img", "br", "input", "hr", "wbr", "base"}


class Page(HTMLParser):
    """Tags, attributes and text of a page; refuses tags that do not match."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def evil() -> dict[str, Any]:
    """Markup in every place where a user's own words get onto the page."""
    labels = [EVIL, EVIL.upper(), "b", "c"] * 10
    frame = pl.DataFrame(
        {"_row": range(40), "text": [f"{EVIL} {i}" for i in range(40)], "label": labels},
        schema_overrides={"_row": pl.Int64},
    )
    profile = Profile("labelled")
    profile.add(frame, EVIL)
    file = File(path=Path(EVIL), split=EVIL, format=EVIL, encoding=EVIL, kind=EVIL, mapping={EVIL: EVIL})
    issue = Issue(row=3, kind="wrong_label", score=0.9, given=EVIL, suggested=EVIL)
    return profile.result(
        [file],
        lambda rows: [Row(file=EVIL, line=row, text=f"{EVIL} {row}", label=EVIL) for row in rows],
        Found(
            issues=[issue],
            dropped={EVIL: 2},
            problems=[Problem(code="D31", file=EVIL, line=1, values={"name": EVIL})],
        ),
        command=EVIL,
    )


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_what_users_write_stays_text(lang: str) -> None:
    page = Page(render(evil(), lang))
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img", "iframe", "object", "link", "base"})
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert page.text.count("alert('x')") > 15
    assert "{{ 7*7 }}" in page.text


def test_the_page_asks_for_nothing() -> None:
    source = render(evil(), "en")
    page = Page(source)
    loading = {"src", "href", "srcset", "data", "action", "poster", "xlink:href"}
    assert not [(tag, attributes) for tag, attributes in page.tags if loading & attributes.keys()]
    assert not re.search(r"url\(|@import|https?://", source)
    policy = [a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert str(policy[0]).startswith("default-src 'none'; style-src 'unsafe-inline'")


SHAPES = {
    "labelled": "cls_banking77/test.csv",
    "messages": "toolcall_glaive_demo/glaive_toolcall_en_demo.json",
    "tagged": "ner_wnut17/emerging.dev.conll",
    "answered": "qa_xquad/xquad.en.visible.json",
    "preferred": "pref_llamafactory_demo/dpo_en_demo.json",
    "rated": "pref_llamafactory_demo/kto_en_demo.json",
    "paired": "mt_tatoeba_en_zh/cmn.tsv",
    "text": "text_alice/11-0.txt",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_a_page_in_each_language_and_the_same_twice(
    profile_of: Measured, mapped: Callable[[str, str], pl.DataFrame], shape: str
) -> None:
    found = profile_of(shape, context=64, all=mapped(SHAPES[shape], shape).head(300))
    english, chinese = render(found, "en"), render(found, "zh")
    assert render(found, "en") == english
    headings = [re.sub("<.*?>", "", heading) for heading in re.findall(r"<h[23].*?</h[23]>", chinese)]
    assert all(re.search(r"[\u4e00-\u9fff]", heading) for heading in headings)
    shown = Page(english)
    assert not re.search(r"[\u4e00-\u9fff]", " ".join(re.findall(r"<h[23].*?</h[23]>", english)))
    pictures = [a for tag, a in shown.tags if tag == "svg" and a.get("aria-hidden") != "true"]
    assert pictures
    assert all(a.get("role") == "img" and len(str(a.get("aria-label"))) > 15 for a in pictures)
    assert (
        "nan" not in re.findall(r"\w+", re.sub(r"<style>.*?</style>", "", english.lower(), flags=re.S))[:40]
    )


def test_problems_speak_both_languages(profile_of: Measured) -> None:
    found = profile_of("text", all=pl.DataFrame({"text": ["write to li@example.com"] * 3}))
    english, chinese = spoken(found, "en")["problems"], spoken(found, "zh")["problems"]
    assert {p["message"] for p in english} >= {"Rows with personal data", "Rows that repeat another"}
    assert {p["message"] for p in chinese} >= {"含个人信息的行", "与其他行重复的行"}
    assert all(p["hint"] for p in [*english, *chinese])


def test_nobodys_address_is_on_the_page(profile_of: Measured) -> None:
    rows = [f"line {i}: write to li.wei{i}@example.com or call 13812345678" for i in range(40)]
    source = render(profile_of("text", all=pl.DataFrame({"text": rows})), "en")
    assert "example.com" not in source
    assert "13812345678" not in source
    assert "[EMAIL]" in source


def test_many_labels_leave_a_page_that_opens_quickly(profile_of: Measured) -> None:
    frame = pl.DataFrame(
        {"text": [f"text {i}" for i in range(3_000)], "label": [f"label {i}" for i in range(3_000)]}
    )
    assert len(render(profile_of("labelled", all=frame), "en")) < 1_000_000


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("dedup", "dedup"),
        ("no", '"no"'),
        ("a: b", '"a: b"'),
        ("退款", '"退款"'),
        ({"a": ["b", 2]}, "{a: [b, 2]}"),
    ],
)
def test_values_are_yaml(value: object, written: str) -> None:
    assert flow(value) == written
