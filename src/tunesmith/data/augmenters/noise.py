"""Mistakes of hands and machines: keys beside the right one, letters left out, letters taken for others."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tunesmith.data.augmenters.tables import Rate, alike
from tunesmith.data.augmenting.passage import Edit, Passage, chosen

_LETTER = re.compile("[A-Za-z]")
_HAN = re.compile("[\u4e00-\u9fff]")
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_CONFUSED = {
    "rn": "m", "m": "rn", "cl": "d", "d": "cl", "vv": "w", "w": "vv", "I": "l", "l": "I", "e": "c", "c": "e",
    "h": "b", "b": "h", "u": "v", "v": "u", "O": "Q", "Q": "O",
}  # fmt: skip
_CONFUSABLE = re.compile("|".join(sorted(_CONFUSED, key=len, reverse=True)))


def _neighbours() -> Mapping[str, str]:
    """For each letter the keys around it on a QWERTY keyboard, whose rows are shifted by half a key."""
    found: dict[str, str] = {}
    for number, row in enumerate(_ROWS):
        for at, letter in enumerate(row):
            beside = row[max(0, at - 1) : at] + row[at + 1 : at + 2]
            above = _ROWS[number - 1][at : at + 2] if number else ""
            below = _ROWS[number + 1][max(0, at - 1) : at + 1] if number < 2 else ""
            found[letter] = beside + above + below
    return found


_NEIGHBOURS = _neighbours()


def keyboard(passage: Passage, *, rate: Rate = 0.05) -> list[Edit]:
    """A share of the Latin letters becomes one of the keys beside it (QWERTY)."""
    edits = []
    for at in chosen(passage.dice, passage.characters(_LETTER), rate):
        letter = passage.text[at]
        hit = passage.dice.choice(_NEIGHBOURS[letter.lower()])
        edits.append(Edit(at, at + 1, hit.upper() if letter.isupper() else hit))
    return edits


def typos(passage: Passage, *, rate: Rate = 0.05) -> list[Edit]:
    """A share of the Latin letters is left out, doubled, or changes places with the next."""
    edits = []
    for at in chosen(passage.dice, passage.characters(_LETTER), rate):
        pair = passage.text[at : at + 2]
        made = passage.dice.choice(("", pair[0] * 2, pair[::-1]))
        swaps = len(made) == 2 and made != pair[0] * 2 and bool(_LETTER.match(pair[1:]))
        edits.append(
            Edit(at, at + 2, made) if swaps else Edit(at, at + 1, made if made != pair[::-1] else "")
        )
    return edits


def ocr(passage: Passage, *, rate: Rate = 0.05) -> list[Edit]:
    """A share of the letters that scanners take for others is taken for them: `rn` and `m`, `I` and `l`."""
    found = [match.span() for match in _CONFUSABLE.finditer(passage.text)]
    free = [place for place in found if passage.is_free(*place)]
    return [
        Edit(*free[i], _CONFUSED[passage.text[slice(*free[i])]])
        for i in chosen(passage.dice, range(len(free)), rate)
    ]


def homophones(passage: Passage, *, rate: Rate = 0.05) -> list[Edit]:
    """A share of the Chinese characters becomes another that sounds alike, as typed without tones."""
    return _replaced(passage, rate, alike("homophones"))


def glyphs(passage: Passage, *, rate: Rate = 0.05) -> list[Edit]:
    """A share of the Chinese characters becomes another that looks alike, as read by a scanner."""
    return _replaced(passage, rate, alike("glyphs"))


def _replaced(passage: Passage, rate: float, table: Mapping[str, str]) -> list[Edit]:
    places = [at for at in passage.characters(_HAN) if table.get(passage.text[at])]
    return [
        Edit(at, at + 1, passage.dice.choice(table[passage.text[at]]))
        for at in chosen(passage.dice, places, rate)
    ]
