"""Numbers that are written in words, in English and Chinese, as their values.

What is said of one thing only (`one`, `一`, `once`, `first`) is no number here: it is an article and a
pronoun more often, and a translation may leave it out.
"""

from __future__ import annotations

import re

_UP_TO_NINETEEN = (
    "zero one two three four five six seven eight nine "
    "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ENGLISH = {word: value for value, word in enumerate(_UP_TO_NINETEEN.split())} | {
    word: 10 * value for value, word in enumerate(_TENS.split(), start=2)
}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_OTHERS = {"half": "1/2", "半": "1/2", "double": "*2", "twice": "*2", "second": "2nd", "third": "3rd"}
_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {
    "〇": 0, "两": 2, "兩": 2
}  # fmt: skip
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_WORD = "|".join((*_ENGLISH, *_SCALES))
_NUMERAL = re.compile(
    rf"\b(?:{_WORD})(?:(?:[\s-]+|\s+and\s+)(?:{_WORD}))*\b"
    r"|[零〇一二两兩三四五六七八九十百千万萬亿億]+"
    rf"|\b(?:{'|'.join(word for word in _OTHERS if word.isascii())})\b|半",
    re.IGNORECASE,
)
HAN = "".join((*_DIGITS, *_UNITS, "半"))
"""The characters of Chinese numerals."""


def numerals(text: str) -> list[str]:
    """The values of what is written in words, in order: `three cards` and `三张卡` have `3`."""
    found = (_value(match.group().lower()) for match in _NUMERAL.finditer(text))
    return [value for value in found if value != "1"]


def _value(words: str) -> str:
    if words in _OTHERS:
        return _OTHERS[words]
    if words[0] in _DIGITS or words[0] in _UNITS:
        return str(_han(words))
    return str(_english(re.findall(r"[a-z]+", words)))


def _english(words: list[str]) -> int:
    total = part = 0
    for word in words:
        if word == "hundred":
            part = (part or 1) * _SCALES[word]
        elif word in _SCALES:
            total += (part or 1) * _SCALES[word]
            part = 0
        else:
            part += _ENGLISH.get(word, 0)
    return total + part


def _han(characters: str) -> int:
    if not any(character in _UNITS for character in characters):
        return int("".join(str(_DIGITS[character]) for character in characters))
    total = part = digit = 0
    for character in characters:
        if character in _DIGITS:
            digit = _DIGITS[character]
        elif (unit := _UNITS[character]) < 10**4:
            part, digit = part + (digit or 1) * unit, 0
        elif unit == 10**4:
            total, part, digit = total + (part + digit or 1) * unit, 0, 0
        else:
            total, part, digit = (total + part + digit or 1) * unit, 0, 0
    return total + part + digit
