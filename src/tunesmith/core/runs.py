"""Run folders: the only interface between processes that train, watch, evaluate and serve.

runs/<id>/  recipe.lock.yaml  events.jsonl  checkpoints/  model/  ledger.parquet  report.json  outcome.parquet
            result.json
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from tunesmith.core import durable
from tunesmith.core.errors import NotFoundError, TunesmithError
from tunesmith.core.events import EventLog
from tunesmith.core.plain import figures

LATEST = "latest"
_FIGURES = ("scores", "intervals", "baselines", "differences")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One execution of a recipe, on disk."""

    path: Path

    @property
    def id(self) -> str:
        """The run's name: the recipe's, and the beginning of the hash of all it depends on."""
        return self.path.name

    @property
    def recipe(self) -> Path:
        """The recipe with all defaults, versions and hashes."""
        return self.path / "recipe.lock.yaml"

    @property
    def checkpoints(self) -> Path:
        """Training states to continue from."""
        return self.path / "checkpoints"

    @property
    def model(self) -> Path:
        """The trained model."""
        return self.path / "model"

    @property
    def ledger(self) -> Path:
        """What became of every input row."""
        return self.path / "ledger.parquet"

    @property
    def report(self) -> Path:
        """The evaluation."""
        return self.path / "report.json"

    @property
    def outcome(self) -> Path:
        """What the model did on each row of the evaluation."""
        return self.path / "outcome.parquet"

    @property
    def page(self) -> Path:
        """The evaluation as a page to look at."""
        return self.path / "report.html"

    @property
    def events(self) -> EventLog:
        """What happened."""
        return EventLog(self.path / "events.jsonl")

    def result(self) -> dict[str, Any] | None:
        """What the finished run came to; None until it is complete."""
        try:
            value: dict[str, Any] = json.loads((self.path / "result.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return {**value, **{name: figures(value[name]) for name in _FIGURES if name in value}}

    def finish(self, result: dict[str, Any]) -> None:
        """Write the result: from now on the run is complete."""
        durable.write_json(self.path / "result.json", result)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Own the run while the block lasts; the system frees it when the process dies.

        Raises:
            TunesmithError: C05 when another process owns it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._lock)
        try:
            # Who asks for the owner holds the lock for a moment.
            lock.acquire(timeout=0.5)
        except Timeout as error:
            owner = self.owner() or "?"
            raise TunesmithError("C05", run=self.id, owner=owner, since=self._since()) from error
        try:
            self._owner.write_text(str(os.getpid()), encoding="ascii")
            yield
        finally:
            self._owner.unlink(missing_ok=True)
            lock.release()

    def owner(self) -> int | None:
        """The process that works on the run now."""
        if not self._lock.exists():
            return None
        lock = FileLock(self._lock)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return int(self._owner.read_text("ascii")) if self._owner.exists() else None
        lock.release()
        return None

    def _since(self) -> str:
        """When the present owner began, by the clock of this machine."""
        try:
            began = self._owner.stat().st_mtime
        except FileNotFoundError:
            return "?"
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(began))

    @property
    def _lock(self) -> Path:
        return self.path / ".lock"

    @property
    def _owner(self) -> Path:
        return self.path / ".owner"

    def status(self) -> str:
        """running, finished, stopped, failed or interrupted (killed: it can be continued)."""
        if self.owner() is not None:
            return "running"
        if self.result() is not None:
            return "finished"
        last = self.events.last() or {"event": ""}
        return {"Stopped": "stopped", "Failed": "failed"}.get(last["event"], "interrupted")

    def remove(self) -> None:
        """Delete the run.

        Raises:
            TunesmithError: C05 while a process works on it.
        """
        with self.locked():
            shutil.rmtree(self.path)


def all_runs(root: Path) -> list[RunFolder]:
    """All run folders under `root`, oldest first."""
    found = [path for path in root.glob("*") if (path / "recipe.lock.yaml").exists()]
    return [RunFolder(path) for path in sorted(found, key=lambda path: path.stat().st_ctime)]


def find(root: Path, name: str) -> RunFolder:
    """The run called `name`, or the only one whose name begins so; `latest` is the newest of all.

    Raises:
        NotFoundError: C06 when there is none, or more than one; W40 when there is no run at all.
    """
    exact = RunFolder(root / name)
    if exact.id == name != ".." and _is_file(exact.recipe):
        return exact
    runs = all_runs(root)
    if name == LATEST:
        if not runs:
            raise NotFoundError("W40")
        return runs[-1]
    close = [run for run in runs if run.id.startswith(name)]
    if len(close) != 1:
        raise NotFoundError("C06", name=name, known=", ".join(run.id for run in runs) or "-")
    return close[0]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is longer than names may be
        return False
