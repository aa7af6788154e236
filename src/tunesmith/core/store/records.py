"""What the store tells of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A registered version of a model: what it is, where it lies, and where it came from."""

    name: str
    version: int
    digest: str
    folder: str
    task: str
    lineage: dict[str, Any]
    created: float
    aliases: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An API key, without its secret."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created: float
    revoked: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """That an alias was pointed to a version, from where, when and why."""

    name: str
    alias: str
    version: int
    previous: int | None
    reason: str
    moved: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What somebody wrote about a release or a run, and when."""

    text: str
    written: float
