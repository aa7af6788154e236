"""The operators of the chain for the peers, as careful users write them: each looks only where it must."""

from __future__ import annotations

import re

_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")
_SPACES = re.compile(r"[^\S\n]{2,}|[\t\x0b\f\r\u00a0]")
_LINES = re.compile(r"\n{3,}")
_MARKS = re.compile(r"[^\w\s]")
_SUSPECT = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u2060\ufeff\ufffd]|&[a-zA-Z#]"
    r"|[\xc2-\xf4\u0152\u0160\u0178\u017d][\x80-\xbf\u2010-\u2044\u20ac\u0153\u0161\u017e\u0192\u02c6\u02dc\u2122]"
    r"|[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]"
)
_PERSONAL = re.compile(r"@|[0-9]{4}|[0-9]\.[0-9]")
_MASKS = (
    (re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"), "[EMAIL]"),
    (re.compile(r"(?<![0-9])[1-9][0-9]{5}(?:19|20)[0-9]{9}[0-9Xx](?![0-9])"), "[ID]"),
    (re.compile(r"(?<![0-9])[3-6][0-9]{15}(?![0-9])"), "[CARD]"),
    (re.compile(r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])"), "[PHONE]"),
    (re.compile(r"\([0-9]{3}\) [0-9]{3}-[0-9]{4}"), "[PHONE]"),
    (re.compile(r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9.])"), "[IP]"),
)
_NARROW = {
    code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
}


def is_suspect(text: str) -> bool:
    """Whether ftfy might change it; ftfy over everything would take most of a peer's time."""
    return (not text.isascii() and _SUSPECT.search(text) is not None) or "&" in text or not text.isprintable()


def tidy(text: str) -> str:
    """Without tags, with narrow letters and single spaces."""
    if "<" in text:
        text = _TAG.sub("", text)
    if not text.isascii():
        text = text.translate(_NARROW) if re.search("[\uff10-\uff5a]", text) else text
    return _LINES.sub("\n\n", _SPACES.sub(" ", text)).strip()


def keep(text: str) -> bool:
    """Long enough, mostly letters or digits, not one passage again and again."""
    if len(text) < 10 or len(_MARKS.findall(text)) > 0.5 * len(text):
        return False
    passages = range(0, len(text) - 15, 5)
    return len(text) < 100 or len({text[at : at + 16] for at in passages}) > 0.7 * len(passages)


def mask(text: str) -> str:
    """Personal data replaced by their kind."""
    if _PERSONAL.search(text):
        for pattern, name in _MASKS:
            text = pattern.sub(name, text)
    return text


def shingles(text: str) -> set[str]:
    """Its runs of five characters, or the text itself if shorter."""
    return {text[at : at + 5] for at in range(max(1, len(text) - 4))}
