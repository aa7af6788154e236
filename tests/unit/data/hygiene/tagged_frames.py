"""Frames of tagged texts for the tests, written with brackets: `[Paris|LOC] is old`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

_PLACE = {"start": pl.Int64, "end": pl.Int64}
_SCHEMA = {
    "_row": pl.Int64,
    "text": pl.String,
    "spans": pl.List(pl.Struct({**_PLACE, "label": pl.String})),
    "tokens": pl.List(pl.Struct(_PLACE)),
}


def tagged(*marked: str) -> pl.DataFrame:
    rows = [(number, *_spans(text), None) for number, text in enumerate(marked)]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def with_spans(text: str, spans: Iterable[tuple[int, int, str]]) -> pl.DataFrame:
    listed = [dict(zip(("start", "end", "label"), span, strict=True)) for span in spans]
    return pl.DataFrame([(0, text, listed, None)], schema=_SCHEMA, orient="row")


def bio(path: Path, *, word: int, tag: int, between: str) -> pl.DataFrame:
    rows = [
        (number, *_decoded(sentence, between)) for number, sentence in enumerate(_sentences(path, word, tag))
    ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _spans(marked: str) -> tuple[str, list[dict[str, Any]]]:
    text, spans = "", []
    for plain, name, label in re.findall(r"([^\[]*)(?:\[([^|]+)\|(\w+)\])?", marked):
        text += plain
        if label:
            spans.append({"start": len(text), "end": len(text) + len(name), "label": label})
        text += name
    return text, spans


def _sentences(path: Path, word: int, tag: int) -> Iterator[list[tuple[str, str]]]:
    for block in re.split(r"\n\s*\n", path.read_text("utf-8")):
        lines = [line.split("\t") for line in block.splitlines() if not line.startswith("# ")]
        if lines:
            yield [(line[word], line[tag].strip()) for line in lines]


def _decoded(sentence: list[tuple[str, str]], between: str) -> tuple[str, list[Any], list[Any]]:
    text, spans, tokens = "", [], []
    for word, tag in sentence:
        start = len(text) + (len(between) if text else 0)
        text = f"{text}{between if text else ''}{word}"
        tokens.append({"start": start, "end": len(text)})
        if tag.startswith("B-"):
            spans.append({"start": start, "end": len(text), "label": tag[2:]})
        elif tag.startswith("I-") and spans:
            spans[-1]["end"] = len(text)
    return text, spans, tokens
