"""The same words in other forms: case, punctuation, width, Chinese script."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Literal

from tunesmith.data.augmenters.tables import Rate
from tunesmith.data.augmenting.passage import Edit, Passage, chosen

_MARK = re.compile(r"[.,;:!?，。；：！？、]")
_NARROW = re.compile("[!-~]")
_WIDE = re.compile("[\uff01-\uff5e]")
_CHINESE_RUN = re.compile("[\u3400-\u9fff]+")


def case(passage: Passage, *, to: Literal["lower", "upper", "title", "any"] = "any") -> list[Edit]:
    """All words in small letters, capitals, or with a capital first; `any` draws one of these a row."""
    kind = passage.dice.choice(("lower", "upper", "title")) if to == "any" else to
    words = [(start, end, passage.text[start:end]) for start, end in passage.words]
    cased = [(start, end, word, _cased(word, kind)) for start, end, word in words]
    return [Edit(start, end, new) for start, end, word, new in cased if new != word]


def _cased(word: str, kind: str) -> str:
    return {"lower": word.lower(), "upper": word.upper(), "title": word[:1].upper() + word[1:].lower()}[kind]


def punctuation(passage: Passage, *, rate: Rate = 0.3) -> list[Edit]:
    """A share of the punctuation marks is left out; a text without gets some (Karimi 2021)."""
    marks = passage.characters(_MARK)
    if marks:
        return [Edit(at, at + 1, "") for at in chosen(passage.dice, marks, rate)]
    signs = ",.;" if passage.text.isascii() else "，。；"
    ends = [end for _, end in passage.words]
    return [Edit(at, at, passage.dice.choice(signs)) for at in chosen(passage.dice, ends, rate)]


def width(passage: Passage, *, rate: Rate = 0.3) -> list[Edit]:
    """A share of the Latin letters and signs in the other width: full becomes half, half becomes full."""
    narrow = dict.fromkeys(passage.characters(_NARROW), 65248)
    shifts = {**narrow, **dict.fromkeys(passage.characters(_WIDE), -65248)}
    return [
        Edit(at, at + 1, chr(ord(passage.text[at]) + shifts[at]))
        for at in chosen(passage.dice, sorted(shifts), rate)
    ]


def script(passage: Passage, *, to: Literal["simplified", "traditional"] = "traditional") -> list[Edit]:
    """Chinese in the other script (OpenCC), each run of characters between what may not change."""
    convert = _converter(to)
    runs = [run for match in _CHINESE_RUN.finditer(passage.text) for run in _free_runs(passage, match.span())]
    made = [(start, end, convert(passage.text[start:end])) for start, end in runs]
    return [Edit(start, end, new) for start, end, new in made if new != passage.text[start:end]]


@cache
def _converter(to: str) -> Callable[[str], str]:
    """Reading the tables of a direction takes longer than converting a thousand texts."""
    import opencc

    convert: Callable[[str], str] = opencc.OpenCC({"simplified": "t2s", "traditional": "s2t"}[to]).convert
    return convert


def _free_runs(passage: Passage, run: tuple[int, int]) -> list[tuple[int, int]]:
    """The parts of a stretch that may change."""
    parts, at = [], run[0]
    for first, last in sorted(passage.guarded):
        if first < run[1] and at < last:
            parts.append((at, max(at, first)))
            at = last
    return [(start, end) for start, end in [*parts, (at, run[1])] if end > start]
