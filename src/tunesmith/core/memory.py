"""How much memory this process needed, and how it is shared between threads."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_PAGES = Path("/proc/self/statm")
_TABLE = Path("/proc/meminfo")
# What a container may use at most and what it uses, cgroup 2, then 1.
_CONTAINERS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)
_CONTAINER_STATE = Path("/sys/fs/cgroup/memory.stat")
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
    limits = [limit for limit, _ in _containers()]
    found = _memory("MemTotal", "SC_PHYS_PAGES")
    return min([*limits, found]) if found else None


def available_memory_bytes() -> int | None:
    """The main memory that is not in use now, on the machine and within what its container is allowed."""
    found = _memory("MemAvailable", "SC_AVPHYS_PAGES")
    left = [max(0, limit - used) + _cached() for limit, used in _containers()]
    return min([*left, found]) if found else None


def resident_memory_bytes() -> int:
    """The main memory that this process uses now; its peak where the system does not say."""
    if not _PAGES.exists():
        return peak_memory_bytes()
    return int(_PAGES.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _containers() -> list[tuple[int, int]]:
    """The limit and the use of every container that has a limit."""
    return [
        (int(said), int(used.read_text("ascii")))
        for limit, used in _CONTAINERS
        if limit.exists() and (said := limit.read_text("ascii").strip()).isdigit()
    ]


def _cached() -> int:
    """What a container uses for copies of files, which it gives back when memory is short."""
    if not _CONTAINER_STATE.exists():
        return 0
    pairs = (line.split() for line in _CONTAINER_STATE.read_text("ascii").splitlines())
    return sum(int(value) for name, value in pairs if name == "inactive_file")


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
