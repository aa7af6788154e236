"""How much memory this process needed, and how it is shared between threads."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_TABLE = Path("/proc/meminfo")
# What a container may use at most, where that is less than the machine has: cgroup 2, then 1.
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
# Of glibc's malloc.h.
_M_ARENA_MAX, _M_MMAP_MAX, _M_TRIM_THRESHOLD = -8, -4, -1


def peak_memory_bytes() -> int:
    """The most memory this process has used so far."""
    if _STATUS.exists():
        # Not from getrusage: there a process begins with the peak of the one that started it.
        line = next(line for line in _STATUS.read_text("ascii").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def machine_memory_bytes() -> int | None:
    """The main memory that this process may use: the machine's, or what its container is allowed."""
    limits = [
        int(said) for path in _LIMITS if path.exists() and (said := path.read_text("ascii").strip()).isdigit()
    ]
    found = _memory("MemTotal", "SC_PHYS_PAGES")
    return min([*limits, found]) if found else None


def available_memory_bytes() -> int | None:
    """The main memory that is not in use now."""
    return _memory("MemAvailable", "SC_AVPHYS_PAGES")


def _memory(name: str, pages: str) -> int | None:
    """Bytes of memory: from /proc where there is one, else from the system's page count."""
    for line in _TABLE.read_text("ascii").splitlines() if _TABLE.exists() else ():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    known = pages in os.sysconf_names
    return os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE") if known else None


def share_heap() -> None:
    """Let all threads allocate from one heap, where the C library is glibc; elsewhere nothing happens.

    glibc gives every thread a heap of its own and keeps what is freed in it: work that hands batches from
    thread to thread then holds each of them several times over.
    """
    _set(_M_ARENA_MAX, 1)


def keep_freed_memory() -> None:
    """Let this process reuse the memory it freed, where the C library is glibc.

    By default glibc asks the system for every large block anew, which clears each of its pages: training
    frees and asks for the same blocks again and again. It costs a few per cent of memory.
    """
    _set(_M_MMAP_MAX, 0)
    _set(_M_TRIM_THRESHOLD, 2**31 - 1)


def _set(option: int, value: int) -> None:
    libc = ctypes.CDLL(None)
    if sys.platform == "linux" and hasattr(libc, "mallopt"):
        libc.mallopt(option, value)
