"""The series of all runs, up to date whenever they are asked for.

The columns of the runs asked for last stay in memory. A run of which much is to be read first can be left to
`learn`, which reads on another thread.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tunesmith.core.runs import RunFolder
from tunesmith.core.workspace import Workspace
from tunesmith.studio.series import keeping, reading
from tunesmith.studio.series.known import Known

_IN_MEMORY = 256 << 20
# What is read of a file while somebody waits for a list of many.
_LITTLE = 1 << 20
# What was read anew is worth keeping when it is a tenth of everything.
_WORTH = 10


class Library:
    """The series of the runs of one workspace; threads may share it."""

    def __init__(self, workspace: Workspace) -> None:
        self._folder = workspace.cache / "series"
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._kept: dict[str, int] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self._learning: set[str] = set()
        self._closing = threading.Event()
        self._reader = ThreadPoolExecutor(1, "series")

    def of(self, run: RunFolder) -> Known:
        """All that the run has said until now."""
        with self._turn(run.id):
            before = self._remembered(run)
            known = reading.read(run.events.path, before, lambda: not self._closing.is_set())
            if known is not before:
                self._keep(run, known)
            self._remember(run.id, known)
            return known

    def at_hand(self, run: RunFolder) -> Known | None:
        """The same if little is to be read for it; else None, and it is read on another thread."""
        size = run.events.path.stat().st_size if run.events.path.exists() else 0
        with self._turn(run.id):
            missing = size - self._remembered(run).read
        if missing <= _LITTLE:
            return self.of(run)
        self.learn(run)
        return None

    def prepare(self, runs: Iterable[RunFolder]) -> None:
        """Read long runs of which nothing is kept, on another thread, before somebody asks for them."""
        for run in runs:
            size = run.events.path.stat().st_size if run.events.path.exists() else 0
            if size > _LITTLE and not self._file(run.id).exists():
                self.learn(run)

    def learn(self, run: RunFolder) -> None:
        """Read the run on another thread, once."""
        with self._lock:
            if run.id in self._learning:
                return
            self._learning.add(run.id)
        self._reader.submit(self._learn, run)

    def forget(self, run: RunFolder) -> None:
        """Drop what was kept of a run that is no more."""
        with self._turn(run.id):
            self._known.pop(run.id, None)
            self._file(run.id).unlink(missing_ok=True)

    def close(self) -> None:
        """Read no more; what was read of a long run until now is kept."""
        self._closing.set()
        self._reader.shutdown(cancel_futures=True)

    def _learn(self, run: RunFolder) -> None:
        try:
            self.of(run)
        finally:
            with self._lock:
                self._learning.discard(run.id)

    def _turn(self, run: str) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(run, threading.Lock())

    def _remembered(self, run: RunFolder) -> Known:
        known = self._known.get(run.id)
        if known is None:
            known = keeping.read(self._file(run.id))
            self._kept[run.id] = known.read
            self._remember(run.id, known)
        return known

    def _remember(self, run: str, known: Known) -> None:
        with self._lock:
            self._known[run] = known
            self._known.move_to_end(run)
            while len(self._known) > 1 and sum(each.bytes for each in self._known.values()) > _IN_MEMORY:
                self._known.popitem(last=False)

    def _keep(self, run: RunFolder, known: Known) -> None:
        kept = self._kept.get(run.id, 0)
        if kept <= known.read <= kept + max(_LITTLE, kept // _WORTH):
            return
        keeping.write(self._file(run.id), known)
        self._kept[run.id] = known.read

    def _file(self, run: str) -> Path:
        return self._folder / f"{run}.safetensors"
