"""How much memory this process needed, and how it is shared between threads."""

from __future__ import annotations

import ctypes
import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_M_ARENA_MAX = -8  # of glibc's malloc.h


def peak_memory_bytes() -> int:
    """The most memory this process has used so far."""
    if _STATUS.exists():
        # Not from getrusage: there a process begins with the peak of the one that started it.
        line = next(line for line in _STATUS.read_text("ascii").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def share_heap() -> None:
    """Let all threads allocate from one heap, where the C library is glibc; elsewhere nothing happens.

    glibc gives every thread a heap of its own and keeps what is freed in it: work that hands batches from
    thread to thread then holds each of them several times over.
    """
    libc = ctypes.CDLL(None)
    if sys.platform == "linux" and hasattr(libc, "mallopt"):
        libc.mallopt(_M_ARENA_MAX, 1)
