"""The smallest parts of a text that are tagged or answered with: words, signs, single Chinese characters.

They follow from the text alone, so that training, evaluation and serving cut it alike: Chinese comes without
spaces, and a cut into words that the data has is not there when the model is asked.
"""

from __future__ import annotations

import re

# Han, kana, and the punctuation that stands with them: nothing separates two of these.
_RANGES = (
    r"\u2e80-\u303f\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
)
_CLOSE = re.compile(f"[{_RANGES}]")
# Letters keep the accents that are written as characters of their own.
_UNIT = re.compile(rf"[{_RANGES}]|(?:[^\W_{_RANGES}][\u0300-\u036f]*)+|\S")


def is_close(character: str) -> bool:
    """Whether no space stands between a character and others of its kind."""
    return _CLOSE.fullmatch(character) is not None


def units(text: str) -> list[tuple[int, int]]:
    """Where the units of a text begin and end, in code points."""
    return [match.span() for match in _UNIT.finditer(text)]
