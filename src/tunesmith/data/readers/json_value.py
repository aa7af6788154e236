"""One JSON value: read fast where nothing is lost by it, carefully where something is wrong or unusual.

Two slips are mended because they can mean nothing else: a comma before a closing bracket or at the end of a
line, and NUL bytes around a value. Half a surrogate pair, which JSON can write and UTF-8 cannot, becomes
U+FFFD.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

_AROUND = "\0\ufeff \t\r"
# A string, cut off at the end perhaps; or a comma before a bracket.
_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.)*(?:"|\\?\Z))|,(?=\s*[}\]])', re.DOTALL)
_HALF = re.compile("[\ud800-\udfff]")
# orjson turns integers beyond 64 bits into floats; the shortest of them have 19 digits.
_LONG = b"0" * 19
_DIGITS = bytes.maketrans(b"123456789", b"000000000")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


DECODER = json.JSONDecoder(parse_constant=_no_constant)


def decode(line: bytes) -> Any:
    """The value of a line in UTF-8.

    Raises:
        ValueError: when it is not JSON.
        RecursionError: when it is nested too deeply.
    """
    if has_long_number(line):
        return decode_carefully(line.decode())
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return decode_carefully(line.decode())


def has_long_number(text: bytes) -> bool:
    """Whether there are so many digits in a row that a number may not fit 64 bits."""
    # Twenty times as fast as a regular expression.
    return _LONG in text.translate(_DIGITS)


def lines_with_long_numbers(text: bytes) -> set[int]:
    """The lines, counted from 0, that `has_long_number`: those need `decode_carefully`."""
    digits = text.translate(_DIGITS)
    found: set[int] = set()
    line = end = 0
    while (start := digits.find(_LONG, end)) >= 0:
        line += digits.count(b"\n", end, start)
        end = start + len(_LONG)
        found.add(line)
    return found


def decode_carefully(line: str) -> Any:
    """The same with mends; errors are those of the `json` module, which name the mistake."""
    clean = line.strip(_AROUND)
    try:
        return whole(DECODER.decode(clean))
    except json.JSONDecodeError:
        return whole(DECODER.decode(without_trailing_commas(clean.rstrip(","))))


def without_trailing_commas(text: str) -> str:
    """The text with a space for every comma before a closing bracket, so that nothing moves."""
    return _TRAILING_COMMA.sub(lambda match: match[1] or " ", text)


def whole(value: Any) -> Any:
    """A value without half surrogate pairs, in names too; names that become equal get another U+FFFD."""
    if isinstance(value, str):
        return value if value.isascii() else _HALF.sub("\ufffd", value)
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return _whole_names({key: whole(item) for key, item in value.items()})
    return value


def _whole_names(value: dict[str, Any]) -> dict[str, Any]:
    if not any(_HALF.search(key) for key in value):
        return value
    found: dict[str, Any] = {}
    for key, item in value.items():
        name = whole(key)
        while name in found:
            name += "\ufffd"
        found[name] = item
    return found


def encode(value: Any) -> str:
    """A value as JSON text; what JSON cannot say, such as a date, as its text."""
    try:
        return orjson.dumps(value, default=str).decode()
    except TypeError:
        return json.dumps(value, ensure_ascii=False, default=str)
