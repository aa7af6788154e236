"""Requests with their answers and what people said of them, where the server was asked to keep them.

One file of JSON lines a day, with personal data masked; files older than the days to be kept are removed.
Written by a thread of its own, as many at a time as have come: nobody waits for the disk, and masking a
hundred records takes hardly longer than masking one.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tunesmith.core.errors import NotFoundError

DAYS = 30
_WAITING = 10_000
_TOGETHER = 256
_KNOWN = 1_000_000  # ids of answers that opinions may be about: the newest ones
_IDS = frozenset({"prompt", "input", "ids"})  # fields that may be token ids

logger = logging.getLogger(__name__)


class RequestLog:
    """The log in a folder. Close it to write what is on its way.

    An answer is known by its id, or by the id of its request, and only to the key that asked for it.
    """

    def __init__(self, folder: Path, *, days: int = DAYS) -> None:
        self._folder = folder
        self._days = days
        self._lines: queue.Queue[Mapping[str, Any] | None] = queue.Queue(_WAITING)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._remove_old()
        self._owners: dict[str, str] = {}
        for identity, key in _owners(folder):
            self._know(identity, key)
        self._day = ""
        self._writer = threading.Thread(target=self._write, name="tunesmith-request-log", daemon=True)
        self._writer.start()

    def add(self, record: Mapping[str, Any]) -> None:
        """Keep a request with its answer; when the disk is slower than the clients, it is dropped."""
        for identity in (record["request_id"], record.get("id")):
            if identity:
                self._know(identity, record["key"])
        self._put({"kind": "request", "at": time.time(), **record})

    def judge(self, identity: str, key: str, said: Mapping[str, Any]) -> None:
        """Keep what somebody said of an answer.

        Raises:
            NotFoundError: S45 when this key got no such answer.
        """
        if identity not in self._owners or self._owners[identity] != key:
            raise NotFoundError("S45", field="id", id=identity)
        self._put({"kind": "feedback", "at": time.time(), "id": identity, "key": key, **said})

    def close(self) -> None:
        """Write what is left, and end."""
        self._lines.put(None)
        self._writer.join()

    def _know(self, identity: str, key: str) -> None:
        self._owners[identity] = key
        if len(self._owners) > _KNOWN:
            del self._owners[next(iter(self._owners))]

    def _put(self, record: Mapping[str, Any]) -> None:
        try:
            self._lines.put_nowait(record)
        except queue.Full:
            logger.warning("the request log is behind: a record was dropped")

    def _write(self) -> None:
        ended = False
        while not ended:
            came = self._came()
            ended = came[-1] is None
            if records := [record for record in came if record is not None]:
                self._try(records)

    def _came(self) -> list[Mapping[str, Any] | None]:
        """The records that wait, at least one; None is the end."""
        came = [self._lines.get()]
        with suppress(queue.Empty):
            while came[-1] is not None and len(came) < _TOGETHER:
                came.append(self._lines.get_nowait())
        return came

    def _try(self, records: list[Mapping[str, Any]]) -> None:
        try:
            self._append(records)
        except Exception:
            if len(records) == 1:
                logger.exception("a record of the request log could not be written")
                return
            for record in records:  # one may spoil the others
                self._try([record])

    def _append(self, records: list[Mapping[str, Any]]) -> None:
        day = datetime.now(UTC).date().isoformat()
        if day != self._day:
            self._remove_old()
            self._day = day
        path = self._folder / f"{day}.jsonl"
        path.touch(mode=0o600)
        lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in _masked(records)]
        with path.open("a", encoding="utf-8") as file:
            file.write("".join(lines))

    def _remove_old(self) -> None:
        oldest = (datetime.now(UTC) - timedelta(days=self._days)).date().isoformat()
        for path in self._folder.glob("????-??-??.jsonl"):
            if path.stem < oldest:
                path.unlink()


def _owners(folder: Path) -> Iterator[tuple[str, str]]:
    """The ids that are known, each with the key that it belongs to."""
    for path in sorted(folder.glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                # A crash may have cut a line.
                with suppress(ValueError):
                    yield from _owned(json.loads(line))


def _owned(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("request_id", "id"):
        if record["kind"] == "request" and record.get(name):
            yield record[name], record["key"]


def _masked(records: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The records with personal data masked in what people and models said."""
    # Here, because it takes a moment to be there, which only a server that keeps requests needs.
    from tunesmith.data.cleaners.pii import mask

    texts: list[str] = []
    said = ("request", "answer", "correction", "comment")
    parts = [{name: _readable(record[name]) for name in said if name in record} for record in records]
    _walk(parts, texts.append)
    found = iter(mask(texts))
    masked = _walk(parts, lambda _: next(found))
    return [{**record, **part} for record, part in zip(records, masked, strict=True)]


def _readable(value: Any, name: str = "") -> Any:
    """A JSON value without text in tokens, in which no mask recognises anything; `name` is its field's."""
    if isinstance(value, Mapping):
        return None if name == "logprobs" else {n: _readable(inner, n) for n, inner in value.items()}
    if isinstance(value, list):
        ids = name in _IDS and bool(value) and all(isinstance(inner, int) for inner in value)
        return f"{len(value)} tokens" if ids else [_readable(inner, name) for inner in value]
    return value


def _walk(value: Any, change: Callable[[str], object]) -> Any:
    """A JSON value with every string that is a value changed, always in the same order."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _walk(inner, change) for name, inner in value.items()}
    return [_walk(inner, change) for inner in value] if isinstance(value, list) else value
