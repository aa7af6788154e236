"""Every sentence exists in both languages, says the same things, and is there where it is asked for."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest

import tunesmith.cli
from tunesmith.cli.main import VERBS
from tunesmith.core import text

SOURCES = sorted(Path(next(iter(tunesmith.cli.__path__))).glob("*.py"))


def sentences(table, at=""):
    for key, value in table.items():
        if set(text.LANGUAGES) & value.keys():
            yield f"{at}{key}", value
        else:
            yield from sentences(value, f"{at}{key}.")


def fields(sentence):
    parts = sentence.values() if isinstance(sentence, dict) else [sentence]
    return {name for part in parts for _, name, _, _ in string.Formatter().parse(part) if name is not None}


@pytest.mark.parametrize("area", text.areas())
def test_both_languages_say_the_same(area):
    for key, said in sentences(text.table(area)):
        assert set(said) == set(text.LANGUAGES), f"{area}: {key}"
        assert fields(said["en"]) == fields(said["zh"]), f"{area}: {key}"
        if isinstance(said["en"], dict):
            assert said["en"].keys() == said["zh"].keys() == set(text.PARTS), f"{area}: {key}"


def keys_said(source):
    """The keys that a file asks for, and of those it puts together the beginnings."""
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if is_call and node.func.attr == "say" and node.args:
            yield from (key.removeprefix("cli.") for key in literals(node.args[0]))


def literals(node):
    match node:
        case ast.Constant(value=str(key)):
            yield key
        case ast.IfExp(body=one, orelse=other):
            yield from (*literals(one), *literals(other))
        case ast.JoinedStr(values=[first, *_]) | ast.BinOp(left=first):
            yield from literals(first)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_every_sentence_that_is_asked_for_exists(source):
    known = text.table("cli")
    for key in keys_said(source):
        is_beginning = key.endswith("_") and any(name.startswith(key) for name in known)
        assert key in known or is_beginning or not key, f"{source.name}: {key}"


def test_every_verb_is_described():
    assert {"help", *VERBS} <= text.table("cli").keys()


def test_every_code_that_the_command_line_raises_is_explained():
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                code = node.exc.args[0]
                if isinstance(code, ast.Constant):
                    assert text.explain(code.value, "zh", {})["message"], code.value
