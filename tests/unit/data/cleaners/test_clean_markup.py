"""Markup, links and boilerplate go; code, and text that only looks like them, stays."""

from __future__ import annotations

import time

import pytest
from running import change

BOILERPLATE = (
    "Home\nWe use cookies to serve you.\nReal text.\n» Read more...\n【点击查看更多】\n正文。\n© 2020 ACME"
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# Title\n\n**bold** *it* __u__ _v_ ***x*** ~~no~~", "Title\n\nbold it u v x no"),
        ("[text](http://a.b/c_(d)) ![image](x.png \"t\")", "text image"),
        ("> quoted\n> > twice\n---\nend", "quoted\ntwice\nend"),
        ("- item `**c**`\n```\n# code\n```", "- item `**c**`\n```\n# code\n```"),
        ("2 * 3 * 4, snake_case_name, #tag, a*b*c", "2 * 3 * 4, snake_case_name, #tag, a*b*c"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "| a | b |\n| 1 | 2 |"),
        ("**重点**：《书》", "重点：《书》"),
    ],
)  # fmt: skip
def test_markdown(before: str, after: str) -> None:
    assert change("strip_markdown", before) == [after]


def test_code_may_go_as_well() -> None:
    assert change("strip_markdown", "a `b` c\n```\nd\n```", code="drop") == ["a  c\n"]


def test_html_within_entities_goes_too() -> None:
    assert change("strip_html", "&lt;p&gt;Hello&lt;/p&gt; `&lt;p&gt;`") == ["Hello\n `&lt;p&gt;`"]


@pytest.mark.parametrize("text", ["see <![1] and <![foo]>", "if a <![b", "<!-- not closed", "x <? y"])
def test_what_only_begins_like_html_stays(text: str) -> None:
    assert change("strip_html", text) == [text]


@pytest.mark.parametrize("opened", ["<a ", "<!-- ", "<? ", "<![if "])
def test_the_time_for_what_is_never_closed_grows_with_its_length_only(opened: str) -> None:
    text = opened * 20_000 + "end"
    began = time.process_time()
    assert change("strip_html", text) == [text]
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("settings", "after"),
    [
        ({}, "see [URL], write li@x.org。见[URL]。"),
        ({"emails": "mask"}, "see [URL], write [EMAIL]。见[URL]。"),
        ({"urls": "drop", "emails": "drop"}, "see, write。见。"),
        ({"urls": "keep"}, "see https://a.org/b?c=d, write li@x.org。见www.b.cn。"),
    ],
)
def test_links(settings: dict[str, str], after: str) -> None:
    text = "see https://a.org/b?c=d, write li@x.org。见www.b.cn。"
    assert change("replace_links", text, **settings) == [after]


def test_lines_around_a_text_go() -> None:
    assert change("strip_boilerplate", BOILERPLATE) == ["Real text.\n正文。"]
    assert change("strip_boilerplate", "keep\nMy Footer", lines=["my footer"]) == ["keep"]


@pytest.mark.parametrize("text", ["Read more", "home\nsign in", "I read more\nbooks at home", "点击查看更多"])
def test_a_text_of_nothing_else_and_lines_that_say_more_stay(text: str) -> None:
    assert change("strip_boilerplate", text) == [text]
