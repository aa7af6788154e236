"""Stop words: the words of grammar that say little of what a text is about.

The lists of English and Chinese are ours, in `stop_words/`; any other is read from a file of the user's.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from tunesmith.core.errors import DataError, NotFoundError

LISTS = ("en", "zh")
"""The languages with a list of their own."""


def stop_words(lang: str, *, file: Path | None = None) -> frozenset[str]:
    """The stop words of a language (ISO 639-1), in lower case, or those of `file` instead.

    A file has one word a line, in UTF-8; lines that start with # are remarks.

    Raises:
        NotFoundError: D70 when there is no such file.
        DataError: D71 when the file is not UTF-8 text or the language has no list.
    """
    if file is not None:
        return _read(file)
    if lang not in LISTS:
        raise DataError("D71", name=lang, known=", ".join(LISTS))
    return _own(lang)


def _read(file: Path) -> frozenset[str]:
    try:
        return _words(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise NotFoundError("D70", file=file) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("D71", file=file, name=file.name, known=", ".join(LISTS)) from error


@cache
def _own(lang: str) -> frozenset[str]:
    source = files("tunesmith.language").joinpath("stop_words", f"{lang}.txt")
    return _words(source.read_text(encoding="utf-8"))


def _words(content: str) -> frozenset[str]:
    lines = (line.strip().lower() for line in content.splitlines())
    return frozenset(line for line in lines if line and not line.startswith("#"))
