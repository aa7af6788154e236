"""What a label may hang on, and no augmenter may touch: numbers, negations, addresses and placeholders."""

from __future__ import annotations

import re
from collections import Counter

from tunesmith.data.augmenting.passage import Stretch
from tunesmith.language.numerals import HAN, numerals

_NUMBER_WORDS = (
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    "seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|"
    "million|billion|half|double|twice|once|first|second|third"
)
_NEGATIONS = (
    "no|not|never|none|nobody|nothing|nowhere|neither|nor|without|cannot|cant|dont|wont|isnt|arent|wasnt|"
    "doesnt|didnt|hasnt|havent|hadnt|shouldnt|wouldnt|couldnt|hardly|barely"
)
_HAN_NEGATIONS = "[不没沒無无非未别別勿莫否]"
# With what is denied: swapping the words after a negation would turn the sentence round.
_DENIED = (
    rf"\b(?:{_NEGATIONS}|\w+n['’]t)\b(?:\s+[\w'’-]+)?",
    rf"{_HAN_NEGATIONS}[\u4e00-\u9fff]{{0,2}}",
)
_NEGATION = rf"\b(?:{_NEGATIONS})\b|n['’]t\b|{_HAN_NEGATIONS}"
_FIXED = (
    r"https?://\S+|www\.\S+|\S+@\S+\.\S+|\[[A-Z][A-Z_0-9]*\]|\{[^{}\n]*\}|<[^<>\n]*>",
    r"[A-Za-z$¥€£#+-]*\d(?:[A-Za-z\d.,:/%-]*[A-Za-z\d%])?",
    rf"\b(?:{_NUMBER_WORDS})\b",
    rf"[{HAN}]+",
)
_GUARDED = re.compile("|".join((*_FIXED, *_DENIED)), re.IGNORECASE)
_VERBATIM = re.compile("|".join(_FIXED[:2]), re.IGNORECASE)
_COUNTED = re.compile(_NEGATION, re.IGNORECASE)


def _told(text: str) -> Counter[str]:
    return Counter([*_VERBATIM.findall(text), *numerals(text)])


def guarded(text: str) -> list[Stretch]:
    """The stretches of a text that no edit may touch."""
    return [match.span() for match in _GUARDED.finditer(text)]


def keeps(before: str, after: str) -> bool:
    """Whether a text that was written anew has the same numbers and addresses, and as many negations.

    It does not matter whether a number is written in digits or in words.
    """
    return _told(before) == _told(after) and len(_COUNTED.findall(before)) == len(_COUNTED.findall(after))
