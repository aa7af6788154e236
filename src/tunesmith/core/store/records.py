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
    """An API key, without its secret. `used` is when it was last; what it asked for, `Store.usage` tells.

    Its quotas are for a day, and None bounds nothing.
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    created: float
    revoked: float | None
    expires: float | None = None
    used: float | None = None
    quota_requests: int | None = None
    quota_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What was asked with a key."""

    requests: int = 0
    prompt_tokens: int = 0
    new_tokens: int = 0

    def __add__(self, other: Used) -> Used:
        return Used(
            requests=self.requests + other.requests,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            new_tokens=self.new_tokens + other.new_tokens,
        )

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return self.prompt_tokens + self.new_tokens


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody who is signed in to the Studio, and what he may do."""

    role: str
    name: str


OVER = ("finished", "failed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A piece of work that a process of its own does.

    `status` is queued, running, finished, failed or cancelled; times are seconds since 1970. `beat` is when
    its process last said that it lives, `stopping` when somebody asked it to end; `progress` goes from 0 to
    1, and `subject` is what it works on (for training, its run).
    """

    id: str
    kind: str
    title: str
    arguments: dict[str, Any]
    by: str
    status: str
    attempt: int
    created: float
    started: float | None
    ended: float | None
    host: str | None
    process: int | None
    beat: float | None
    stopping: float | None
    progress: float | None
    subject: str | None
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    revision: int

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.status in OVER
