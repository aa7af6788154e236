"""Threads that make steps together: one call for each step; who has nothing to do sleeps."""

from __future__ import annotations

import os
import queue
import threading
from pathlib import Path

from tunesmith.serve.native import machine
from tunesmith.serve.native.compiler import compiled
from tunesmith.serve.native.isa import Isa
from tunesmith.serve.native.meeting import begin, close, follows
from tunesmith.serve.native.step import step
from tunesmith.serve.native.table import Table

_PATIENCE = 100_000  # looks of a thread for the next step: a few milliseconds
_MOST = 63  # who sleeps is told by bits of one number
_CGROUPS = Path("/sys/fs/cgroup")
# The microseconds of all cores in a period, and the period: cgroup 2, then 1.
_QUOTAS = (
    (_CGROUPS / "cpu.max",),
    (_CGROUPS / "cpu/cpu.cfs_quota_us", _CGROUPS / "cpu/cpu.cfs_period_us"),
)


@compiled
def run(thread: int, patience: int, table: int) -> None:
    """The first thread makes the step that was begun; the others every one, until none comes for a while."""
    if thread == 0:
        step(thread, table)
        return
    while follows(thread, patience, table):
        step(thread, table)


class Team:
    """So many threads, the caller's among them, over a table. Close it to end the others.

    Until they end they look at the table's memory, and so keep it.
    """

    def __init__(self, table: Table, threads: int, isa: Isa) -> None:
        self._kept = table
        self._table = table.address
        self._run, self._begin, self._close = machine.functions([run, begin, close], isa)
        self._bells: list[queue.SimpleQueue[bool]] = [queue.SimpleQueue() for _ in range(threads)]
        self._others = [
            threading.Thread(target=self._work, args=(n,), name=f"tunesmith-native-{n}", daemon=True)
            for n in range(1, threads)
        ]
        for thread in self._others:
            thread.start()

    def step(self) -> None:
        """One step over what is in the batch."""
        asleep = self._begin(self._table)
        for number in range(1, len(self._bells)):
            if asleep >> number & 1:
                self._bells[number].put(True)
        self._run(0, 0, self._table)

    def close(self) -> None:
        """End the other threads."""
        self._close(self._table)
        for number, thread in enumerate(self._others, start=1):
            self._bells[number].put(False)
            thread.join()

    def _work(self, number: int) -> None:
        while self._bells[number].get():
            self._run(number, _PATIENCE, self._table)


def count() -> int:
    """How many cores this process may use, within what its container is allowed, up to the largest team."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST, *_shares())


def _shares() -> list[int]:
    """Whole cores that each container with a limit allows: threads beyond them would wait for each other."""
    found: list[int] = []
    for files in _QUOTAS:
        if all(file.is_file() for file in files):
            quota, period = " ".join(file.read_text("ascii") for file in files).split()
            if quota.isdecimal():  # `max` and -1 are no limit
                found.append(max(1, int(quota) // int(period)))
    return found
