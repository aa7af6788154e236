"""What can be followed: jobs, a run, the models that are served.

A topic keeps nothing about its readers: it says what comes after a place. So a slow reader costs nothing, and
one that comes back goes on where it was.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tunesmith.core.runs import RunFolder
from tunesmith.core.store import Store
from tunesmith.serve.deployments import Deployments
from tunesmith.studio.jobs.routes import entry

_MOST_BYTES = 2**19
_FAR_BEHIND = 2**22
_OTHERS_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What came after a place: the place it leads to, and the content; no content when nothing came."""

    place: str
    content: dict[str, Any] | None = None


class Topic(Protocol):
    """Something that can be followed."""

    def now(self) -> str:
        """The place after everything that is known."""

    def after(self, place: str, lang: str) -> News | None:
        """What came after a place; None when the place is not known any more."""


class JobTopic:
    """Jobs that changed, whole. Places are revisions of the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: tuple[object, int] = (None, 0)

    def now(self) -> str:
        """See `Topic`."""
        return str(self._revision())

    def after(self, place: str, lang: str) -> News | None:
        """See `Topic`."""
        latest = self._revision()
        if not place.isdecimal() or int(place) > latest:
            return None
        if int(place) == latest:
            return News(place=place)
        changed = self._store.jobs_after(int(place))
        content = {"jobs": [entry(job, lang).model_dump() for job in changed]}
        return News(place=str(changed[-1].revision if changed else latest), content=content)

    def _revision(self) -> int:
        """The latest revision; the database is only asked when its files changed."""
        mark = self._mark()
        if self._seen[0] != mark:
            self._seen = (mark, self._store.jobs_revision())
        return self._seen[1]

    def _mark(self) -> object:
        database = self._store.database
        if database.url is not None:
            return int(time.monotonic() / _OTHERS_S)
        return [_changed(database.path), _changed(database.path.with_name(f"{database.path.name}-wal"))]


class RunTopic:
    """The lines that a run wrote to events.jsonl. Places are `file:byte`.

    A run that goes back to a checkpoint writes another file, and who read the old one has to begin anew.
    """

    def __init__(self, run: RunFolder) -> None:
        self._path = run.events.path

    def now(self) -> str:
        """See `Topic`."""
        file, size = self._at()
        return f"{file}:{self._whole(size)}"

    def after(self, place: str, lang: str) -> News | None:
        """See `Topic`."""
        known, _, byte = place.partition(":")
        file, size = self._at()
        if known != str(file) or not byte.isdecimal() or not 0 <= size - int(byte) <= _FAR_BEHIND:
            return None
        if size == int(byte):
            return News(place=place)
        lines = self._lines(int(byte))
        if not lines:
            return News(place=place)
        content = {"events": list(_records(lines))}
        return News(place=f"{file}:{int(byte) + len(lines)}", content=content)

    def _at(self) -> tuple[int, int]:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return 0, 0
        return found.st_ino, found.st_size

    def _lines(self, byte: int) -> bytes:
        """Whole lines from a place on, not all of them when there are many."""
        with self._path.open("rb") as file:
            file.seek(byte)
            content = file.read(_MOST_BYTES)
        return content[: content.rfind(b"\n") + 1]

    def _whole(self, size: int) -> int:
        """Where the last whole line ends: a line may be half written."""
        start = max(0, size - _MOST_BYTES)
        return start + len(self._lines(start)) if size else 0


class DeploymentTopic:
    """Which models are served under which names. Places are a digest of that."""

    def __init__(self, served: Deployments) -> None:
        self._served = served

    def now(self) -> str:
        """See `Topic`."""
        names = sorted([d.name, *d.aliases] for d in self._served)
        return f"{zlib.crc32(json.dumps(names).encode()):x}"

    def after(self, place: str, lang: str) -> News | None:
        """See `Topic`."""
        now = self.now()
        if now == place:
            return News(place=place)
        return News(place=now, content={"names": sorted(d.name for d in self._served)})


def _records(lines: bytes) -> Iterator[dict[str, Any]]:
    for line in lines.splitlines():
        with suppress(ValueError):  # a crash may have torn a line
            yield json.loads(line)


def _changed(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
