"""Tags of tokens and the spans they mean: BIO, BIOES, BILOU, BMES, IOB1 and bare labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

from tunesmith.data.layouts.layout import Row, UnfitError
from tunesmith.language.units import is_close, units

_BEGINS, _ENDS = frozenset("BSU"), frozenset("ESLU")
_PREFIX = re.compile(r"([BIOESLUM])[-_](.+)", re.DOTALL)
_OUTSIDE = ("O", "", "_", "-")


@dataclass(slots=True)
class _Open:
    """Spans found so far, in tokens, and the one that may go on."""

    spans: list[tuple[int, int, str]] = field(default_factory=list[tuple[int, int, str]])
    start: int = 0
    label: str | None = None

    def close(self, end: int) -> None:
        if self.label is not None:
            self.spans.append((self.start, end, self.label))
        self.label = None


def decode(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """Spans of tokens (first, end, label). A tag that goes on where nothing can go on begins a span."""
    open_ = _Open()
    for at, tag in enumerate(tags):
        prefix, label = _parts(tag)
        if prefix == "O":
            open_.close(at)
            continue
        if prefix in _BEGINS or label != open_.label:
            open_.close(at)
            open_.start, open_.label = at, label
        if prefix in _ENDS:
            open_.close(at + 1)
    open_.close(len(tags))
    return open_.spans


@cache
def _parts(tag: str) -> tuple[str, str]:
    """Prefix and label of a tag; a bare label goes on."""
    if tag in _OUTSIDE:
        return "O", ""
    match = _PREFIX.fullmatch(tag)
    return (match[1], match[2]) if match else ("I", tag)


def encode(spans: Sequence[tuple[int, int, str]], count: int, *, ends: bool = False) -> list[str]:
    """The BIO tags (BIOES with `ends`) of `count` tokens.

    Raises:
        UnfitError: overlap, when a token is in two spans.
    """
    tags = ["O"] * count
    for start, end, label in spans:
        if any(tag != "O" for tag in tags[start:end]):
            raise UnfitError("overlap")
        tags[start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 1)]
        if ends:
            tags[end - 1] = f"{'S' if end - start == 1 else 'E'}-{label}"
    return tags


def join(tokens: Sequence[str]) -> tuple[str, list[Row]]:
    """Tokens as one text, and where each stands: a space between two unless both are Chinese."""
    text, places = "", []
    parts: list[str] = []
    at = 0
    for token in tokens:
        if parts and not (is_close(token[0]) and is_close(parts[-1][-1])):
            parts.append(" ")
            at += 1
        parts.append(token)
        places.append({"start": at, "end": at + len(token)})
        at += len(token)
    text = "".join(parts)
    return text, places


def place(tokens: Sequence[str], text: str) -> list[Row] | None:
    """Where tokens stand in the text they were cut from; None when they are not all of it but white space."""
    places: list[Row] = []
    at = 0
    for token in tokens:
        start = text.find(token, at)
        if start < 0 or text[at:start].strip():
            return None
        at = start + len(token)
        places.append({"start": start, "end": at})
    return None if text[at:].strip() else places


def tokens_of(text: str, spans: Sequence[Row]) -> list[Row]:
    """Tokens for a text that has none: Chinese characters, words, marks; cut where a span begins or ends."""
    cuts = {place for span in spans for place in (span["start"], span["end"])}
    found: list[Row] = []
    for start, end in units(text):
        bounds = [start, *sorted(cut for cut in cuts if start < cut < end), end]
        found += [{"start": first, "end": last} for first, last in pairwise(bounds)]
    return found


def in_tokens(spans: Sequence[Row], tokens: Sequence[Row]) -> list[tuple[int, int, str]]:
    """Spans of characters as spans of tokens.

    Raises:
        UnfitError: token_boundary, when a span does not begin and end with tokens.
    """
    first = {token["start"]: at for at, token in enumerate(tokens)}
    last = {token["end"]: at for at, token in enumerate(tokens)}
    found = []
    for span in spans:
        if span["start"] not in first or span["end"] not in last:
            raise UnfitError("token_boundary")
        found.append((first[span["start"]], last[span["end"]] + 1, span["label"]))
    return found
