"""Tables that augmenters draw from: those beside this module, and files of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from annotated_types import Gt, Le

from tunesmith.core.errors import RecipeError
from tunesmith.data.cleaners.wordlists import own

Rate = Annotated[float, Gt(0), Le(1)]
"""How much of what could be changed is changed."""


@cache
def alike(name: str) -> Mapping[str, str]:
    """For each character of a table beside this module those that may stand in its place.

    Of `homophones` every line is a group; of `glyphs` the first character of a line is like the others.
    """
    lines = files("tunesmith.data.augmenters").joinpath(f"{name}.txt").read_text(encoding="utf-8").split()
    if name == "glyphs":
        return {line[0]: line[1:] for line in lines}
    return {character: line.replace(character, "") for line in lines for character in line}


def lines_of(file: str | None) -> tuple[str, ...]:
    """The lines of a file of one's own; none without one.

    Raises:
        NotFoundError, DataError: D60 when it does not exist, D61 when it is no text.
    """
    if file is None:
        return ()
    path = Path(file)
    return _read(file, path.stat().st_mtime_ns if path.is_file() else 0)


@lru_cache(maxsize=16)
def _read(file: str, changed: int) -> tuple[str, ...]:
    return own(file)


@lru_cache(maxsize=16)
def groups(lines: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """For each word, in small letters, the others of its lines; words are divided by commas.

    What stands before a colon is the name of a line.
    """
    found: dict[str, tuple[str, ...]] = {}
    for line in lines:
        words = [word.strip() for word in line.rpartition(":")[2].replace("，", ",").split(",")]
        for word in filter(None, words):
            others = tuple(other for other in words if other and other.lower() != word.lower())
            found[word.lower()] = found.get(word.lower(), ()) + others
    return found


def needed(value: str | None, augmenter: str, setting: str) -> str:
    """A setting without which an augmenter cannot work.

    Raises:
        RecipeError: A02 when it is not there.
    """
    if value is None:
        raise RecipeError("A02", field=f"data.augment.{augmenter}.{setting}", name=augmenter, setting=setting)
    return value
