"""One form for what looks the same: composition, width, what cannot be seen, and spaces."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from typing import Literal

import polars as pl

from tunesmith.data.characters import INVISIBLE
from tunesmith.data.clean import Cleaned, change_texts
from tunesmith.data.texts import at, on_suspects, one_by_one, settled

Width = Literal["letters", "all", "keep"]
Spaces = Literal["spaced_out", "all", "keep"]

_CHINESE = (
    r"\x{2e80}-\x{2fdf}\x{3005}-\x{3007}\x{3400}-\x{4dbf}\x{4e00}-\x{9fff}\x{f900}-\x{faff}"
    r"\x{20000}-\x{323af}"
)
_EAST_ASIAN = rf"[{_CHINESE}\x{{3040}}-\x{{30ff}}\x{{ac00}}-\x{{d7af}}]"
# What needs no space beside a Chinese character: another one, or punctuation of full width.
_JOINED = rf"[{_CHINESE}\x{{3001}}-\x{{3003}}\x{{3008}}-\x{{3011}}\x{{ff01}}-\x{{ff0f}}\x{{ff1a}}-\x{{ff1f}}]"

# Latin letters and digits of full width, and the punctuation around them.
_WIDE = r"[\x{ff10}-\x{ff19}\x{ff21}-\x{ff3a}\x{ff41}-\x{ff5a}]"
_WIDE_MARK = r"[\x{ff01}-\x{ff0f}\x{ff1a}-\x{ff20}\x{ff3b}-\x{ff40}\x{ff5b}-\x{ff5e}]"
_LETTERS = (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
_MARKS = tuple(code for code in range(0xFF01, 0xFF5F) if code not in _LETTERS)

_TERMINAL_COLOURS = r"\x1b\[[0-9;]*[A-Za-z]"
_LINE_ENDS = r"\r\n?|[\x{2028}\x{2029}\x{85}]"
# Joiners do nothing after Latin, Greek, Cyrillic and Chinese; in emoji, Indic and Arabic they matter.
_IDLE_JOINERS = r"(^|[\x{0}-\x{5ff}\x{3000}-\x{9fff}\x{f900}-\x{faff}\x{ff00}-\x{ffef}])[\x{200c}\x{200d}]+"
_SPACES = r"[\x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}]"

# All that the steps below may change, told by one look; letters that compose are found by their marks.
_HIDDEN = (
    r"[\x00-\x08\x0b-\x1f\x7f-\x{a0}\x{ad}\x{1680}\x{2000}-\x{200f}\x{2028}-\x{202f}\x{205f}-\x{206f}"
    r"\x{3000}\x{feff}]"
)
_COMPOSABLE = (
    r"[\x{300}-\x{36f}\x{374}\x{37e}\x{387}\x{483}-\x{1cff}\x{1dc0}-\x{1dff}\x{1f00}-\x{1fff}\x{20d0}-\x{20ff}"
    r"\x{2126}\x{212a}\x{212b}\x{2329}\x{232a}\x{2adc}\x{2cef}-\x{2cf1}\x{2d7f}\x{2de0}-\x{2dff}"
    r"\x{302a}-\x{302f}\x{3099}\x{309a}\x{a66f}-\x{abff}\x{f900}-\x{faff}\x{fb1d}-\x{fb4f}\x{fe20}-\x{fe2f}"
    r"\x{10000}-\x{1efff}\x{2f800}-\x{2fa1f}]"
)
_UNTIDY = r"[ \t]{2}|[ \t]\n|\n{3}|\A\s|\s\z"

# The beginning of a line in which a space follows each character.
_SPACED_OUT = rf"[{_CHINESE}] \S {{1,3}}\S {{1,3}}"
_SPACED_OUT_LINE = re.compile(r"\S(?: (?: {2})?\S){4,}")


def normalise(
    frame: pl.DataFrame, *, width: Width = "letters", chinese_spaces: Spaces = "spaced_out"
) -> Cleaned:
    """One form for what looks the same; Chinese punctuation and indentation stay as they are.

    Unicode NFC, half-width Latin letters, digits and spaces, nothing invisible, no runs of spaces in a line.
    `width` `all` also narrows full-width punctuation, in texts without Chinese, Japanese or Korean. Spaces
    between Chinese characters go where every character of a line is followed by one, or `all` of them.
    """
    return change_texts(frame, partial(normalised, width=width, chinese_spaces=chinese_spaces))


def normalised(
    texts: pl.Series, *, width: Width = "letters", chinese_spaces: Spaces = "spaced_out"
) -> pl.Series:
    """What `normalise` makes of texts. Doing it twice changes nothing."""
    step = partial(_normalised, width=width, chinese_spaces=chinese_spaces)
    return on_suspects(texts, _suspect(width, chinese_spaces), lambda found: settled(found, step))


def _suspect(width: Width, chinese_spaces: Spaces) -> str:
    wide = {"keep": [], "letters": [_WIDE], "all": [_WIDE, _WIDE_MARK]}
    spaced = {"keep": [], "spaced_out": [_SPACED_OUT], "all": [_SPACED_OUT, f"{_JOINED} {_JOINED}"]}
    return "|".join((_HIDDEN, _COMPOSABLE, _UNTIDY, *wide[width], *spaced[chinese_spaces]))


def _normalised(texts: pl.Series, *, width: Width, chinese_spaces: Spaces) -> pl.Series:
    texts = on_suspects(texts, _HIDDEN, _shown)
    if width != "keep":
        texts = on_suspects(texts, _WIDE, lambda found: found.str.replace_many(*_narrowing(_LETTERS)))
    if width == "all":
        texts = on_suspects(texts, _WIDE_MARK, _without_wide_marks)
    texts = on_suspects(texts, _COMPOSABLE, lambda found: found.str.normalize("NFC"))
    if chinese_spaces != "keep":
        texts = on_suspects(texts, _SPACED_OUT, one_by_one(_unspaced))
    if chinese_spaces == "all":
        texts = texts.str.replace_all(f"({_JOINED}) +({_JOINED})", "${1}${2}")
    return _tidy(texts)


def _shown(texts: pl.Series) -> pl.Series:
    """Texts without what cannot be seen, with plain spaces and line ends."""
    return (
        texts.str.replace_all(_TERMINAL_COLOURS, "")
        .str.replace_all(_LINE_ENDS, "\n")
        .str.replace_all(INVISIBLE, "")
        .str.replace_all(_IDLE_JOINERS, "${1}")
        .str.replace_all(_SPACES, " ")
    )


def _tidy(texts: pl.Series) -> pl.Series:
    return (
        # Only after something on the line: indentation is part of code.
        texts.str.replace_all(r"(\S)[ \t]{2,}", "${1} ")
        .str.replace_all(r"[ \t]+\n", "\n")
        .str.replace_all(r"\n{3,}", "\n\n")
        .str.strip_chars()
    )


def _narrowing(wide: Iterable[int]) -> tuple[list[str], list[str]]:
    """Characters of full width and their ASCII counterparts."""
    codes = list(wide)
    return [chr(code) for code in codes], [chr(code - 0xFEE0) for code in codes]


def _without_wide_marks(texts: pl.Series) -> pl.Series:
    narrow = ~texts.str.contains(_EAST_ASIAN)
    return at(texts, narrow, lambda found: found.str.replace_many(*_narrowing(_MARKS)))


def _unspaced(text: str) -> str:
    return "\n".join(_unspaced_line(line) for line in text.split("\n"))


def _unspaced_line(line: str) -> str:
    """A line without the space after each character; three stand for one that was there before."""
    chinese = sum("\u4e00" <= character <= "\u9fff" for character in line)
    if 4 * chinese < len(line) or not _SPACED_OUT_LINE.fullmatch(line.strip()):
        return line
    return re.sub(r"(?<=\S) (?=\S)", "", line).replace("   ", " ")
