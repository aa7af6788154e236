"""Which of many models were meant: by task, family, language, licence and size."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.core.errors import UsageError

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "g": 10**9}
_BYTES = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_SIZE = r"(\d+(?:\.\d+)?)([kmb]?)"
_MANY = {"multilingual", "any"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a model must have; None asks nothing. `size` counts parameters, from and to."""

    task: str | None = None
    family: str | None = None
    language: str | None = None
    licence: str | None = None
    size: tuple[float, float] | None = None

    def has(self, model: Mapping[str, Any]) -> bool:
        """Whether a model's facts are those: what is not known of it is not what was asked for."""
        return (
            (self.task is None or self.task in model["tasks"])
            and (self.family is None or _same(self.family, model["family"]))
            and (self.language is None or speaks(model["languages"], self.language))
            and (self.licence is None or self._permits(model["licence"]))
            and (self.size is None or self._fits(model["parameters"]))
        )

    def _permits(self, licence: str | None) -> bool:
        """`apache` finds Apache-2.0, `mit` finds MIT and not what merely contains these letters."""
        said = (licence or "").lower().removeprefix("licenseref-")
        return said.startswith((self.licence or "").lower().removeprefix("licenseref-"))

    def _fits(self, parameters: int | None) -> bool:
        least, most = self.size or (0, 0)
        return parameters is not None and least <= parameters <= most


def _same(wanted: str, family: str | None) -> bool:
    return family is not None and wanted.lower() == family.lower()


def speaks(languages: list[str], wanted: str) -> bool:
    """Whether a model knows a language, by its ISO 639-1 code; one for many languages knows each."""
    return wanted.lower() in languages or bool(_MANY & {*languages})


def size(words: str) -> tuple[float, float]:
    """`<1B`, `>100M`, `100M-2B` or `135M` as the least and the most parameters; a single size within a tenth.

    Raises:
        UsageError: M60 when it is none of these.
    """
    said = words.lower().replace(" ", "")
    if found := re.fullmatch(rf"(<=?|>=?){_SIZE}", said):
        value = _number(found[2], found[3])
        return (0, value) if found[1].startswith("<") else (value, float("inf"))
    if found := re.fullmatch(rf"{_SIZE}-{_SIZE}", said):
        least, most = _number(found[1], found[2]), _number(found[3], found[4])
        if least <= most:
            return least, most
    elif found := re.fullmatch(_SIZE, said):
        value = _number(found[1], found[2])
        return 0.9 * value, 1.1 * value
    raise UsageError("M60", size=words)


def _number(digits: str, unit: str) -> float:
    return float(digits) * _UNITS[unit]


def memory_bytes(words: str) -> int:
    """`8GB`, `8G`, `512 MiB` as bytes.

    Raises:
        UsageError: M61 when it is no amount of memory.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kmgt])i?b?", words.lower().replace(" ", ""))
    if not found or float(found[1]) == 0:
        raise UsageError("M61", memory=words)
    return round(float(found[1]) * _BYTES[found[2]])
