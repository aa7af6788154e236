"""Threads that make steps together: one call for each step; who has nothing to do sleeps."""

from __future__ import annotations

import os
import queue
import threading

import numpy as np

from tunesmith.serve.native import step as steps
from tunesmith.serve.native.intrinsics import store
from tunesmith.serve.native.jit import compiled
from tunesmith.serve.native.state import Batch, Ints, Memory, Model, Work

_PATIENCE = 100_000  # looks of a thread for the next step: a few milliseconds


class Team:
    """`work.threads` threads, the caller's among them. Close it to end the others."""

    def __init__(self, model: Model, memory: Memory, work: Work, batch: Batch) -> None:
        self._control: Ints = np.zeros((steps.FIRST + 2 * work.threads, 8), np.int64)
        self._given = (model, memory, work, batch, self._control)
        self._bells: list[queue.SimpleQueue[bool]] = [queue.SimpleQueue() for _ in range(work.threads)]
        self._others = [
            threading.Thread(target=self._work, args=(n,), name=f"tunesmith-native-{n}", daemon=True)
            for n in range(1, work.threads)
        ]
        for thread in self._others:
            thread.start()

    def step(self) -> None:
        """One step over what is in the batch."""
        asleep = steps.begin(self._control)
        for number in range(1, len(self._bells)):
            if asleep >> number & 1:
                self._bells[number].put(True)
        steps.run(0, 0, *self._given)

    def close(self) -> None:
        """End the other threads."""
        _set(self._control, steps.CLOSED, 1)
        for number, thread in enumerate(self._others, start=1):
            self._bells[number].put(False)
            thread.join()

    def _work(self, number: int) -> None:
        while self._bells[number].get():
            _set(self._control, steps.own(number, steps.SPINNING), 1)
            steps.run(number, _PATIENCE, *self._given)


@compiled
def _set(control: Ints, number: int, value: int) -> None:
    store(steps.line(control, number), value)


def count() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
