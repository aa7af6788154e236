"""Models known by a short name: the data is in catalogue.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from tunesmith.models.card import TASKS, Kind
from tunesmith.models.shapes import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A known model. `parameters` in millions, `context` in tokens, `sha256` of the weights file.

    `shape` is None for what is no transformer.
    """

    name: str
    kind: Kind
    family: str
    languages: tuple[str, ...]
    licence: str
    parameters: int
    context: int
    shape: Shape | None = None
    hub: str | None = None
    package: str | None = None
    module: str | None = None
    folder: str | None = None
    sha256: str | None = None

    @property
    def tasks(self) -> tuple[str, ...]:
        """What it can be trained for."""
        return TASKS[self.kind]


@cache
def entries() -> dict[str, Entry]:
    """All known models by name."""
    text = files("tunesmith.models").joinpath("catalogue.toml").read_text(encoding="utf-8")
    return {name: _entry(name, values) for name, values in tomllib.loads(text).items()}


def _entry(name: str, values: dict[str, Any]) -> Entry:
    plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    if "shape" in plain:
        plain["shape"] = Shape(**plain["shape"])
    return Entry(name=name, **plain)
