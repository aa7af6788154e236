"""Sentences: the language is chosen as the user says, and every error code is explained in both languages."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import tunesmith
from tunesmith.core import text

SOURCES = sorted(Path(next(iter(tunesmith.__path__))).rglob("*.py"))
VARIABLES = ("TUNESMITH_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


@pytest.fixture
def environment(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("variables", "wanted", "spoken"),
    [
        ({}, "zh", "zh"),
        ({"LANG": "zh_CN.UTF-8"}, None, "zh"),
        ({"LANG": "zh_CN.UTF-8"}, "en", "en"),
        ({"LANG": "zh_CN.UTF-8", "TUNESMITH_LANG": "en"}, None, "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "zh_TW.UTF-8"}, None, "zh"),
        ({"LANG": "de_DE.UTF-8"}, None, "en"),
    ],
)
def test_the_language_is_what_was_asked_for_else_the_environments(environment, variables, wanted, spoken):
    for name, value in variables.items():
        environment.setenv(name, value)
    assert text.language(wanted) == spoken


def test_values_are_put_into_the_sentences():
    said = text.explain("C01", "en", {"file": "tickets.csv"})
    assert said["message"] == "tickets.csv does not exist"
    assert set(said) == {"message", "cause", "hint"}


def test_a_value_that_is_missing_shows_its_name_and_does_not_hide_the_error():
    assert text.explain("C01", "en", {})["message"] == "{file} does not exist"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_hint_asks_about_nothing_and_none_is_empty(lang):
    asked = text.explain("D06", lang, {"close": "label"})["hint"]
    other = text.explain("D06", lang, {"close": ""})["hint"]
    assert "label" in asked
    assert other
    assert "`" not in other


def test_nouns_are_translated_inside_sentences():
    values = {"noun": "loss", "name": "x", "known": "-", "close": "-"}
    assert "损失函数" in text.explain("R06", "zh", values)["message"]
    assert "loss" in text.explain("R06", "en", values)["message"]


def test_an_expectation_is_a_sentence_and_no_rule_name():
    said = text.explain(
        "R05", "zh", {"key": "epochs", "got": -1, "expects": [{"kind": "greater_than", "gt": 0}]}
    )
    assert said["cause"] == "必须大于 0"


def codes():
    """Every code that the sources name in an error or a problem, with its file."""
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                code = node.value
                if len(code) == 3 and code[0] in "CDEMRSTU" and code[1:].isdigit():
                    yield code, source.name


def test_every_code_of_the_sources_is_explained_in_both_languages():
    found = sorted(set(codes()))
    assert len(found) > 100
    for code, source in found:
        for lang in text.LANGUAGES:
            assert text.explain(code, lang, {})["message"], f"{source}: {code}"


def raised() -> Iterator[tuple[str, set[str], str]]:
    """Every error that the sources make: its code, the values it is given, and where."""
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                made = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if made.endswith("Error") or made == "problem":
                    names = set().union(*map(given, node.keywords))
                    if "*" not in names:
                        yield str(node.args[0].value), names, f"{source.name}:{node.lineno}"


def given(keyword: ast.keyword) -> set[str]:
    """The names of the values that an argument brings; `*` when that cannot be read off."""
    if keyword.arg is not None:
        return {keyword.arg, *({"expected"} if keyword.arg == "expects" else ())}
    called = keyword.value.func if isinstance(keyword.value, ast.Call) else None
    return {"known", "close"} if isinstance(called, ast.Name) and called.id == "suggestion" else {"*"}


def test_every_error_is_given_the_values_that_its_sentences_show():
    found = [entry for entry in raised() if entry[0][:1] in "CDEMRSTU" and entry[0][1:].isdigit()]
    assert len(found) > 80
    for code, names, where in found:
        sentences = next(text.table(area)[code]["en"] for area in text.areas() if code in text.table(area))
        shown = {field for part in sentences.values() for _, field, _, _ in string.Formatter().parse(part)}
        assert shown - {None} <= names, f"{where}: {code}"
