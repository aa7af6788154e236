"""How fast this machine reads memory, by as many threads as it has processors."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tunesmith.serve.native import isa, machine, threads
from tunesmith.serve.native.compiler import reordered
from tunesmith.serve.native.intrinsics import get

_NUMBERS = 2**26  # float32: more than any cache holds
_TRIES = 4


@reordered
def total(address: int, count: int) -> float:
    """The sum of so many float32."""
    found = 0.0
    for i in range(count):
        found += get(address, i)
    return found


def bandwidth() -> float:
    """Bytes per second, the best of a few tries."""
    (run,) = machine.functions([total], isa.here())
    numbers = np.ones(_NUMBERS, np.float32)
    parts = np.array_split(numbers, threads.count())
    return max(_once(run, parts) for _ in range(_TRIES))


def _once(run: Callable[..., Any], parts: list[np.ndarray]) -> float:
    together = [threading.Thread(target=run, args=(part.ctypes.data, part.size)) for part in parts]
    start = time.perf_counter()
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    return sum(part.nbytes for part in parts) / (time.perf_counter() - start)
